//! Tables for people: columns as wide as their longest cell, the last one free.

use std::io::Write;

/// Prints rows under their heads. Nothing is cut: what does not fit wraps in the terminal.
pub(crate) fn print<const N: usize>(
    heads: [&str; N],
    rows: &[[String; N]],
    out: &mut dyn Write,
) -> std::io::Result<()> {
    let heads = heads.map(str::to_owned);
    let mut widths = [0_usize; N];
    for row in std::iter::once(&heads).chain(rows) {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    for row in std::iter::once(&heads).chain(rows) {
        let mut line = String::from(" ");
        for (cell, width) in row.iter().zip(widths) {
            line.push_str(&format!(" {cell:width$} "));
        }
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_no_line_ends_in_blanks() {
        let mut out = Vec::new();
        let rows = [["a".to_owned(), "1".to_owned()], ["émile".to_owned(), String::new()]];
        print(["who", "n"], &rows, &mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "  who    n\n  a      1\n  émile\n");
    }
}
