"""What the functions consist of, as a bill of materials in CycloneDX 1.6 (JSON), https://cyclonedx.org/docs/1.6/json/

    python sbom.py ROOT CARGO OUT     write it; the same clone and toolchain give the same bytes

Which packages: what cargo resolves for the functions alone, with their features, for both processors; no tests, no tools. What is linked
into a function has the scope `required`, what only runs while it is built (procedural macros, build scripts and theirs) the scope
`excluded`. A package of one processor only says which. The hash is that of the package as its registry serves it, which cargo checks.

Licences and addresses are what packages say of themselves (`cargo metadata`), hashes are from Cargo.lock. The standard library is linked
into every function too, so it is listed, with the version of the compiler at hand.
"""

import hashlib
import json
import subprocess
import sys
import uuid
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, Property, XsUri
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentScope, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

TARGETS = ["aarch64-unknown-linux-gnu", "x86_64-unknown-linux-gnu"]

# A package, as cargo writes it: its name and `v` with its version.
Name = tuple[str, str]


class Cargo:
    """Cargo, in this clone, with exactly what Cargo.lock says."""

    def __init__(self, root: Path, program: str):
        self.root, self.program = root, program

    def run(self, *arguments: str) -> str:
        done = subprocess.run([self.program, *arguments, "--locked"], cwd=self.root, stdout=subprocess.PIPE, text=True)
        if done.returncode:
            sys.exit(f"`cargo {arguments[0]}` failed")
        return done.stdout

    def metadata(self, target: str) -> list[dict]:
        return json.loads(self.run("metadata", "--format-version", "1", "--filter-platform", target))["packages"]

    def graph(self, functions: list[str], target: str, edges: str) -> dict[Name, set[Name]]:
        """What each package depends on. Cargo shows what hangs below a package once, and later only names it."""
        packages = [argument for name in functions for argument in ("--package", name)]
        text = self.run("tree", *packages, "--target", target, "--edges", edges, "--prefix", "depth", "--format", " {p}")
        graph, above = {}, []
        for line in filter(str.strip, text.splitlines()):
            depth, name, version, *_ = line.split()
            package = (name, version.removeprefix("v"))
            graph.setdefault(package, set())
            above[int(depth) :] = [package]
            if int(depth):
                graph[above[int(depth) - 1]].add(package)
        return graph


def component(package: dict, checksums: dict[Name, str], linked: bool) -> Component:
    """One package."""
    name, version = package["name"], package["version"]
    own = package["source"] is None
    function = own and any("bin" in target["kind"] for target in package["targets"])
    made = Component(
        name=name,
        version=version,
        type=ComponentType.APPLICATION if function else ComponentType.LIBRARY,
        # A package of this clone is in no registry.
        purl=None if own else PackageURL("cargo", None, name, version),
        bom_ref=f"{name}@{version}",
        scope=ComponentScope.REQUIRED if linked else ComponentScope.EXCLUDED,
        description=" ".join((package["description"] or "").split()) or None,
    )
    if licence := package["license"]:
        # The slash is cargo's old way of writing OR.
        made.licenses.add(LicenseFactory().make_from_string(licence.replace("/", " OR ")))
    if checksum := checksums.get((name, version)):
        made.hashes.add(HashType(alg=HashAlgorithm.SHA_256, content=checksum))
    for key, kind in (("repository", ExternalReferenceType.VCS), ("homepage", ExternalReferenceType.WEBSITE)):
        if package[key]:
            made.external_references.add(ExternalReference(type=kind, url=XsUri(package[key])))
    return made


def standard_library() -> Component:
    """What rustc links into every program."""
    text = subprocess.run(["rustc", "--version", "--verbose"], stdout=subprocess.PIPE, text=True, check=True).stdout
    says = dict(line.split(": ", 1) for line in text.splitlines() if ": " in line)
    made = Component(
        name="rust-std",
        version=says["release"],
        type=ComponentType.LIBRARY,
        bom_ref=f"rust-std@{says['release']}",
        scope=ComponentScope.REQUIRED,
        description="The Rust standard library.",
    )
    made.licenses.add(LicenseFactory().make_from_string("MIT OR Apache-2.0"))
    made.external_references.add(
        ExternalReference(type=ExternalReferenceType.VCS, url=XsUri(f"https://github.com/rust-lang/rust/tree/{says['commit-hash']}"))
    )
    return made


def materials(cargo: Cargo) -> Bom:
    """The whole bill."""
    known = {(p["name"], p["version"]): p for target in TARGETS for p in cargo.metadata(target)}
    own = [p for p in known.values() if p["source"] is None]
    functions = sorted(p["name"] for p in own if Path(p["manifest_path"]).parent.parent == cargo.root / "functions")
    lock = tomllib.loads((cargo.root / "Cargo.lock").read_text())
    checksums = {(p["name"], p["version"]): p["checksum"] for p in lock["package"] if "checksum" in p}
    everything = {target: cargo.graph(functions, target, "normal,build") for target in TARGETS}
    linked = {package for target in TARGETS for package in cargo.graph(functions, target, "normal,no-proc-macro")}

    bom = Bom()
    components = {}
    for package in sorted(set().union(*everything.values())):
        made = components[package] = component(known[package], checksums, package in linked)
        where = [target for target in TARGETS if package in everything[target]]
        if where != TARGETS:
            made.properties.add(Property(name="axiru:target", value=where[0]))
        bom.components.add(made)
    standard = standard_library()
    bom.components.add(standard)
    axiru = Component(
        name="axiru", version=known[functions[0], own[0]["version"]]["version"], type=ComponentType.APPLICATION, bom_ref="axiru"
    )
    axiru.licenses.add(LicenseFactory().make_from_string("Apache-2.0"))
    bom.metadata.component = axiru

    whole = [made for (name, _), made in components.items() if name in functions]
    bom.register_dependency(axiru, whole)
    for package, made in components.items():
        below = set().union(*(everything[target].get(package, set()) for target in TARGETS))
        bom.register_dependency(made, [components[one] for one in sorted(below)] + ([standard] if made in whole else []))
    bom.register_dependency(standard)

    # Nothing of the moment: the same materials are the same bill.
    bom.metadata.timestamp = None
    named = "\n".join(f"{made.bom_ref} {made.scope} {[h.content for h in made.hashes]}" for made in bom.components)
    bom.serial_number = uuid.uuid5(uuid.NAMESPACE_URL, "axiru:" + hashlib.sha256(named.encode()).hexdigest())
    return bom


def main() -> None:
    root, program, out = Path(sys.argv[1]).resolve(), sys.argv[2], Path(sys.argv[3])
    bom = materials(Cargo(root, program))
    text = JsonV1Dot6(bom).output_as_string(indent=1) + "\n"
    if error := JsonStrictValidator(SchemaVersion.V1_6).validate_str(text):
        sys.exit(f"not CycloneDX 1.6: {error}")
    bare = [c.bom_ref.value for c in bom.components if not c.licenses or (c.purl and not c.hashes)]
    if bare:
        sys.exit(f"without a licence or a hash: {', '.join(bare)}")
    out.write_text(text)
    scopes = [c.scope for c in bom.components]
    print(f"{scopes.count(ComponentScope.REQUIRED)} linked, {scopes.count(ComponentScope.EXCLUDED)} for the build only: {out}")


if __name__ == "__main__":
    main()
