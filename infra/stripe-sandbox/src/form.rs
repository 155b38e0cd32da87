//! Stripe's v1 request bodies: form encoding with brackets, `metadata[order]=7&expand[]=charge&expand[0]=charge`.

use std::collections::BTreeMap;

use crate::error::StripeError;

/// Stripe nests a few levels; more is a mistake or an attack.
const MAX_DEPTH: usize = 8;
/// Metadata (50) and evidence (30) together stay far below this.
const MAX_PAIRS: usize = 500;

/// A decoded parameter: a text, or a map of parameters. Lists are maps whose keys are numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Node {
    Text(String),
    Map(BTreeMap<String, Node>),
}

/// Decodes query and body into one tree; Stripe merges the two.
pub(crate) fn decode(parts: &[&[u8]]) -> Result<BTreeMap<String, Node>, StripeError> {
    let mut root = BTreeMap::new();
    let pairs = parts.iter().flat_map(|part| url::form_urlencoded::parse(part));
    for (count, (key, value)) in pairs.enumerate() {
        if count >= MAX_PAIRS {
            return Err(StripeError::invalid("", format!("Too many parameters: at most {MAX_PAIRS} are read")));
        }
        insert(&mut root, &key, value.into_owned())?;
    }
    Ok(root)
}

fn insert(root: &mut BTreeMap<String, Node>, key: &str, value: String) -> Result<(), StripeError> {
    let bad = || StripeError::invalid(key, format!("Invalid parameter name: {key}"));
    let path = segments(key).ok_or_else(bad)?;
    let (last, parents) = path.split_last().ok_or_else(bad)?;
    let mut map = root;
    for parent in parents {
        let name = list_key(map, parent);
        let node = map.entry(name).or_insert_with(|| Node::Map(BTreeMap::new()));
        map = match node {
            Node::Map(inner) => inner,
            Node::Text(_) => return Err(bad()),
        };
    }
    let name = list_key(map, last);
    if matches!(map.get(&name), Some(Node::Map(_))) {
        return Err(bad());
    }
    map.insert(name, Node::Text(value));
    Ok(())
}

/// `[]` appends: its key is the next free number, padded so that keys sort as numbers do.
fn list_key(map: &BTreeMap<String, Node>, segment: &str) -> String {
    if segment.is_empty() { format!("{:06}", map.len()) } else { segment.to_owned() }
}

fn segments(key: &str) -> Option<Vec<&str>> {
    let Some(open) = key.find('[') else {
        return (!key.is_empty() && !key.contains(']')).then(|| vec![key]);
    };
    let (head, mut rest) = key.split_at(open);
    if head.is_empty() {
        return None;
    }
    let mut path = vec![head];
    while !rest.is_empty() {
        let (segment, after) = rest.strip_prefix('[')?.split_once(']')?;
        if segment.contains('[') || path.len() >= MAX_DEPTH {
            return None;
        }
        path.push(segment);
        rest = after;
    }
    Some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(root: &BTreeMap<String, Node>, path: &[&str]) -> Option<String> {
        let (last, parents) = path.split_last()?;
        let mut map = root;
        for parent in parents {
            match map.get(*parent)? {
                Node::Map(inner) => map = inner,
                Node::Text(_) => return None,
            }
        }
        match map.get(*last)? {
            Node::Text(text) => Some(text.clone()),
            Node::Map(_) => None,
        }
    }

    #[test]
    fn brackets_nest() {
        let root = decode(&[b"a=1", b"metadata[order]=7&expand[]=x&expand[]=y&list[0][k]=v+w%21"]).unwrap();
        assert_eq!(text(&root, &["a"]).as_deref(), Some("1"));
        assert_eq!(text(&root, &["metadata", "order"]).as_deref(), Some("7"));
        assert_eq!(text(&root, &["expand", "000001"]).as_deref(), Some("y"));
        assert_eq!(text(&root, &["list", "0", "k"]).as_deref(), Some("v w!"));
    }

    #[test]
    fn malformed_names_are_refused() {
        for bad in [
            "[a]=1",
            "a]=1",
            "a[b=1",
            "a[b]c=1",
            "a[[b]]=1",
            "a=1&a[b]=2",
            "a[b]=2&a=1",
            "=1",
            "a[1][2][3][4][5][6][7][8]=x",
        ] {
            assert!(decode(&[bad.as_bytes()]).is_err(), "{bad}");
        }
        assert!(decode(&["x[]=1&".repeat(501).as_bytes()]).is_err());
    }
}
