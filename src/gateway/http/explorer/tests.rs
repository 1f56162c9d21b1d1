use super::*;

#[test]
fn an_encoding_is_taken_if_it_is_named_and_not_refused() {
    for (accepted, taken) in [
        ("gzip, deflate, br, zstd", true),
        ("br", true),
        ("BR;q=0.5", true),
        ("gzip, br;q=0", false),
        ("gzip", false),
        ("brotli", false),
        ("", false),
    ] {
        assert_eq!(accepts(accepted, "br"), taken, "{accepted}");
    }
}

#[test]
fn every_file_is_found_by_its_path_and_is_what_its_etag_says() {
    assert!(FILES.len() >= 3);
    for file in FILES {
        assert!(std::ptr::eq(find(file.path).expect("a file"), file), "{} is there twice", file.path);
        assert!(file.etag.starts_with('"') && file.etag.ends_with('"'), "{}", file.etag);
    }
}
