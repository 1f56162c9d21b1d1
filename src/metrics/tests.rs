use super::classic;

#[test]
fn the_older_format_names_a_counter_by_its_samples() {
    let open = "# HELP ig_searches Searches answered.\n# TYPE ig_searches counter\nig_searches_total 3\n\
                # HELP ig_build The program.\n# TYPE ig_build info\nig_build_info{version=\"1\"} 1\n\
                # HELP ig_lag_seconds Age.\n# TYPE ig_lag_seconds gauge\n# UNIT ig_lag_seconds seconds\nig_lag_seconds 0.5\n# EOF\n";
    let text = classic::of(open);
    assert_eq!(
        text,
        "# HELP ig_searches_total Searches answered.\n# TYPE ig_searches_total counter\nig_searches_total 3\n\
         # HELP ig_build_info The program.\n# TYPE ig_build_info gauge\nig_build_info{version=\"1\"} 1\n\
         # HELP ig_lag_seconds Age.\n# TYPE ig_lag_seconds gauge\nig_lag_seconds 0.5\n"
    );
}
