use super::*;

fn walk(count: usize, first: usize) -> Vec<usize> {
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = page(0..count, first, after.as_deref(), usize::to_string).expect("a page");
        assert!(page.nodes.len() <= first, "a page is not longer than asked for");
        seen.extend(page.nodes.iter().map(|(node, _)| *node));
        if !page.info.has_next_page {
            return seen;
        }
        after = page.info.end_cursor;
    }
}

#[test]
fn pages_give_each_node_once_and_in_order() {
    for count in [0, 1, 2, 7, 8] {
        for first in [1, 2, 3, 8, 100] {
            assert_eq!(walk(count, first), (0..count).collect::<Vec<_>>(), "{count} by {first}");
        }
    }
}

#[test]
fn a_cursor_of_something_else_leads_nowhere() {
    let refused = page(0..3, 1, Some("nonsense"), usize::to_string).err().expect("no such place");
    assert_eq!(refused.code, "CURSOR_EXPIRED");
}
