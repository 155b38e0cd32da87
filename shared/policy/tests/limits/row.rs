//! The table of worked cases as text.

/// One row.
pub(crate) struct Row {
    pub(crate) number: String,
    pub(crate) case: String,
    pub(crate) plans: String,
    pub(crate) steps: Vec<String>,
}

/// The text of the first block of that language.
pub(crate) fn fenced(doc: &str, language: &str) -> String {
    let start = format!("```{language}\n");
    let (_, rest) = doc.split_once(&start).unwrap();
    rest.split_once("```").unwrap().0.to_owned()
}

/// Every row of the table whose head is `| # | case | plans | steps |`.
pub(crate) fn rows(doc: &str) -> Vec<Row> {
    let lines = doc.lines().skip_while(|line| *line != "| # | case | plans | steps |").skip(2);
    lines.take_while(|line| line.starts_with('|')).map(row).collect()
}

fn row(line: &str) -> Row {
    let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
    let [number, case, plans, steps] = cells[..] else { panic!("a row has four cells: {line}") };
    let steps = steps.split(';').map(|step| step.trim().to_owned()).collect();
    Row { number: number.to_owned(), case: case.to_owned(), plans: plans.to_owned(), steps }
}
