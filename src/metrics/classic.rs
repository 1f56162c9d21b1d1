//! From OpenMetrics to the text format 0.0.4. They differ in how a counter's family is called, and in what is said of it.

/// The same metrics in the older format.
pub(super) fn of(open: &str) -> String {
    let mut text = String::with_capacity(open.len());
    // A family's HELP comes before its TYPE, which is what its new name hangs on.
    for family in open.split("# HELP ").filter(|family| !family.is_empty()) {
        let name = family.split(' ').next().unwrap_or_default();
        let kind = family.split_once(&format!("\n# TYPE {name} ")).and_then(|(_, rest)| rest.lines().next());
        let (suffix, kind) = match kind {
            Some("counter") => ("_total", "counter"),
            Some("info") => ("_info", "gauge"),
            Some(kind) => ("", kind),
            None => continue,
        };
        let help = family.lines().next().unwrap_or_default().trim_start_matches(name).trim();
        text += &format!("# HELP {name}{suffix} {help}\n# TYPE {name}{suffix} {kind}\n");
        for sample in family.lines().skip(1).filter(|line| !line.starts_with('#')) {
            text += sample;
            text.push('\n');
        }
    }
    text
}
