//! The frame of the sandbox's two pages, and escaping.

/// Makes text harmless inside elements and quoted attributes.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

/// A whole page without scripts or foreign resources. `title` is escaped, `main` is not.
pub(crate) fn page(title: &str, main: &str) -> String {
    format!(
        r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{STYLE}</style>
</head>
<body>
<p class="banner">Stripe sandbox: a local stand-in. No real account, no real money.</p>
<main>
<h1>{title}</h1>
{main}
</main>
</body>
</html>
"#,
        title = escape(title)
    )
}

const STYLE: &str = "
body{margin:0;font:1rem/1.5 system-ui,sans-serif;color:#1a1f36;background:#f6f8fa}
.banner{margin:0;padding:.5rem 1rem;background:#ffe9b3;color:#4a3200;font-weight:600}
main{max-width:46rem;margin:0 auto;padding:1rem}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;padding:.35rem .5rem;border-bottom:1px solid #d5dbe1;vertical-align:top;overflow-wrap:anywhere}
code{background:#e9edf1;padding:.1rem .3rem;border-radius:.2rem}
label{display:block;padding:.6rem .75rem;border:1px solid #c1c9d2;border-radius:.4rem;background:#fff;margin:.5rem 0}
button{font:inherit;padding:.7rem 1.2rem;border-radius:.4rem;border:1px solid #3f3ab5;background:#4f46e5;color:#fff;margin:.5rem .5rem .5rem 0}
pre{font-size:.85rem;white-space:pre-wrap;overflow-wrap:anywhere;background:#fff;border:1px solid #d5dbe1;padding:1rem}
iframe{width:100%;height:60rem;border:1px solid #d5dbe1;background:#fff}
button.quiet{background:#fff;color:#1a1f36;border-color:#8792a2}
";
