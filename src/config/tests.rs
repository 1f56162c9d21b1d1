use super::*;

fn load(variables: &[(&str, &str)]) -> Result<Config> {
    let variables = variables.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
    Config::load(Flags::default(), variables)
}

#[test]
fn flags_win_over_variables() {
    let variables = [("INTELGRAPH_LISTEN".to_owned(), "127.0.0.1:1".to_owned())];
    let flags = Flags { listen: Some("127.0.0.1:2".parse().expect("address")), ..Flags::default() };
    let config = Config::load(flags, variables.into_iter()).expect("valid");
    assert_eq!(config.listen.port(), 2);
}

#[test]
fn an_unknown_key_is_refused_by_name() {
    let refused = load(&[("INTELGRAPH_LISTEM", "127.0.0.1:1")]).expect_err("unknown");
    assert!(format!("{refused:#}").contains("listem"), "{refused:#}");
}

#[test]
fn a_variable_is_read_as_its_setting_is() {
    let config =
        load(&[("INTELGRAPH_DATA_DIR", "2026"), ("INTELGRAPH_CONNECTIONS_MAX", "7")]).expect("valid");
    assert_eq!((config.data_dir, config.connections_max), ("2026".into(), 7));
    let refused = load(&[("INTELGRAPH_CONNECTIONS_MAX", "many")]).expect_err("no number");
    assert!(format!("{refused:#}").contains("connections_max"), "{refused:#}");
}

#[test]
fn listening_beyond_this_machine_takes_a_word() {
    let refused = load(&[("INTELGRAPH_LISTEN", "0.0.0.0:1")]).expect_err("no TLS");
    assert!(refused.to_string().contains("--insecure-http"), "{refused}");
    assert!(load(&[("INTELGRAPH_LISTEN", "0.0.0.0:1"), ("INTELGRAPH_INSECURE_HTTP", "true")]).is_ok());
}
