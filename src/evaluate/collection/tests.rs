use std::fs;
use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::TempDir;

use super::*;

/// A directory with these files.
fn place(files: &[(&str, &str)]) -> TempDir {
    let place = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = place.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    place
}

fn open(format: Format, place: &TempDir) -> Result<Collection> {
    let named = Named { corpus: Some(place.path().to_owned()), ..Named::default() };
    Collection::open(format, Files::find(format, named)?)
}

fn documents(collection: &Collection) -> Result<Vec<(String, String, String)>> {
    let mut all = Vec::new();
    collection.documents(&mut |document| {
        all.push((document.id, document.title, document.text));
        Ok(())
    })?;
    Ok(all)
}

fn grade(collection: &Collection, query: &str, document: &str) -> Option<u32> {
    collection.judgements.of(query)?.get(document).copied()
}

fn queries(collection: &Collection) -> Vec<(&str, &str)> {
    collection.queries.iter().map(|query| (query.id.as_str(), query.text.as_str())).collect()
}

fn said(result: Result<impl Sized>) -> String {
    result.err().expect("refused").to_string()
}

fn triple(id: &str, title: &str, text: &str) -> (String, String, String) {
    (id.to_owned(), title.to_owned(), text.to_owned())
}

const CRAN: &[(&str, &str)] = &[
    (
        "cran.all",
        ".I 1\n.T\nwings in a\nslipstream .\n.A\nsomebody\n.B\n1958\n.W\nthe first\n.5 of it\n.I 2\n.T\n.W\n",
    ),
    ("cran.qry", ".I 001\n.W\nwhat of\nwings\n.I 004\n.W\nwhat of heat\n"),
    ("cranqrel", "1 1 2 \n1 2 -1\n2  2 4\n2 1 5\n"),
    ("cranqrel.readme", "The files that you find here\n"),
];

#[test]
fn cran_counts_queries_by_their_order_and_grades_as_relevant_or_not() {
    let held = place(CRAN);
    let collection = open(Format::Cran, &held).unwrap();
    assert_eq!(queries(&collection), [("1", "what of\nwings"), ("2", "what of heat")]);
    let all = documents(&collection).unwrap();
    assert_eq!(all, [triple("1", "wings in a slipstream .", "the first\n.5 of it"), triple("2", "", "")]);
    let grades =
        [("1", "1"), ("1", "2"), ("2", "2"), ("2", "1")].map(|(query, id)| grade(&collection, query, id));
    assert_eq!(grades, [Some(1), Some(0), Some(1), Some(0)]);
    assert!(!collection.judgements.are_graded() && collection.notes.is_empty());
}

#[test]
fn cran_reads_the_lists_of_smart_and_those_of_trec() {
    let smart =
        [("cisi.all", CRAN[0].1), ("cisi.qry", CRAN[1].1), ("cisi.rel", "     1     2\t0\t0.000000\n")];
    assert_eq!(grade(&open(Format::Cran, &place(&smart)).unwrap(), "1", "2"), Some(1));
    let trec = [("cran.all", CRAN[0].1), ("cran.qry", CRAN[1].1), ("qrels", "1 0 2 3\n2 0 1 -1\n2 0 2 0\n")];
    let held = place(&trec);
    let collection = open(Format::Cran, &held).unwrap();
    assert_eq!((grade(&collection, "1", "2"), grade(&collection, "2", "1")), (Some(1), None));
}

#[test]
fn what_is_wrong_names_its_file_its_line_and_its_value() {
    let with = |name: &str, text: &'static str| {
        let files =
            CRAN.iter().map(|(other, plain)| if *other == name { (*other, text) } else { (*other, *plain) });
        place(&files.collect::<Vec<_>>())
    };
    let refused = said(open(Format::Cran, &with("cranqrel", "1 1 2\n1 2 7\n")));
    assert!(refused.contains("cranqrel`, line 2: grade in `1 2 7`"), "{refused}");
    let refused = said(open(Format::Cran, &with("cranqrel", "1 1 2\nq7 2 1\n")));
    assert!(refused.contains("line 2: query `q7`"), "{refused}");
    let refused = said(open(Format::Cran, &with("cran.qry", ".I\n.W\nwhat\n")));
    assert!(refused.contains("cran.qry`, line 1: no id in `.I`"), "{refused}");
    let refused = said(open(Format::Cran, &with("cranqrel", "900 1 2\n")));
    assert!(
        refused.contains("no query of") && refused.contains("`1`") && refused.contains("`900`"),
        "{refused}"
    );
}

const BEIR: &[(&str, &str)] = &[
    (
        "corpus.jsonl",
        "\u{feff}{\"_id\":\"MED-1\",\"title\":\"T\",\"text\":\"x\",\"metadata\":{}}\r\n\n{\"_id\":7,\"text\":\"y\"}\r\n",
    ),
    (
        "queries.jsonl",
        "{\"_id\":\"q1\",\"text\":\"what\"}\n{\"_id\":\"q2\",\"text\":\"else\"}\n{\"_id\":\"q1\",\"text\":\"again\"}\n",
    ),
    ("qrels/dev.tsv", "query-id\tcorpus-id\tscore\nq2\t7\t1\n"),
    (
        "qrels/test.tsv",
        "query-id\tcorpus-id\tscore\r\nq1\tMED-1\t2\r\nq1\t7\t0\r\nq9\t7\t1\r\nq1\tMED-9\t1.0\r\nq1\tMED-9\t2\n",
    ),
];

#[test]
fn beir_reads_grades_as_they_rise() {
    let held = place(BEIR);
    let collection = open(Format::Beir, &held).unwrap();
    assert_eq!(documents(&collection).unwrap(), [triple("MED-1", "T", "x"), triple("7", "", "y")]);
    assert_eq!(queries(&collection), [("q1", "what"), ("q2", "else")]);
    assert_eq!(grade(&collection, "q1", "MED-1"), Some(2));
    assert_eq!((grade(&collection, "q1", "7"), grade(&collection, "q2", "7")), (Some(0), None));
    assert!(collection.judgements.are_graded());
    assert_eq!(grade(&collection, "q1", "MED-9"), Some(2), "what is judged last stands");
    let notes = collection.notes.join("\n");
    assert!(
        notes.contains("1 queries of")
            && notes.contains("1 judged queries")
            && notes.contains("1 judgements differ"),
        "{notes}"
    );
    assert_eq!(collection.judgements.binary().of("q1").unwrap()["MED-1"], 1);
}

#[test]
fn the_judgements_of_beir_need_no_heads() {
    let plain = [BEIR[0], BEIR[1], ("qrels/test.tsv", "q1\tMED-1\t1\n")];
    assert_eq!(grade(&open(Format::Beir, &place(&plain)).unwrap(), "q1", "MED-1"), Some(1));
    let bad = [BEIR[0], BEIR[1], ("qrels/test.tsv", "q1\tMED-1\t1\nq1\t7\tyes\n")];
    let refused = said(open(Format::Beir, &place(&bad)));
    assert!(refused.contains("test.tsv`, line 2: grade `yes`"), "{refused}");
}

#[test]
fn json_that_is_broken_or_lacks_an_id_is_refused_with_its_line() {
    for (line, wanted) in
        [("{\"_id\":\"a\"", "not JSON"), ("[1]", "not an object"), ("{\"text\":\"x\"}", "a value is missing")]
    {
        let text = format!("{{\"_id\":\"ok\",\"text\":\"x\"}}\n{line}\n");
        let held = place(&[("corpus.jsonl", &text), BEIR[1], BEIR[3]]);
        let collection = open(Format::Beir, &held).unwrap();
        let refused = said(documents(&collection));
        assert!(refused.contains("corpus.jsonl`, line 2:") && refused.contains(wanted), "{refused}");
    }
    let place = place(&[BEIR[1], BEIR[3]]);
    fs::write(place.path().join("corpus.jsonl"), b"{\"_id\":\"a\",\"text\":\"caf\xe9\"}\n").unwrap();
    let refused = said(documents(&open(Format::Beir, &place).unwrap()));
    assert!(refused.contains("line 1: not UTF-8"), "{refused}");
}

#[test]
fn what_is_missing_in_a_directory_is_said() {
    let refused = said(open(Format::Beir, &place(&BEIR[..1])));
    assert!(
        refused.contains("no queries of format beir: `queries.jsonl`; name them with --queries"),
        "{refused}"
    );
    let two = [BEIR[0], BEIR[1], ("qrels/dev.tsv", "q1\t7\t1\n"), ("qrels/train.tsv", "q1\t7\t1\n")];
    let refused = said(open(Format::Beir, &place(&two)));
    assert!(refused.contains("could both be the qrels"), "{refused}");
    let refused = said(Files::find(Format::Trec, Named::default()));
    assert!(refused.contains("no docs; name them with --docs"), "{refused}");
}

#[test]
fn compressed_files_are_read_as_they_are() {
    let place = place(&BEIR[1..]);
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(BEIR[0].1.as_bytes()).unwrap();
    fs::write(place.path().join("corpus.jsonl.gz"), packed.finish().unwrap()).unwrap();
    assert_eq!(documents(&open(Format::Beir, &place).unwrap()).unwrap().len(), 2);
}

const TREC: &[(&str, &str)] = &[
    (
        "corpus/docs.trec",
        "<DOC>\n<DOCNO> FT-1 </DOCNO>\n<DATE>1991</DATE>\n<HEADLINE>\nBread &amp; butter\n</HEADLINE>\n<TEXT>\n<P>if a < b,\nthen <!-- no -->c</P>\n</TEXT>\n</DOC>\n\
         <doc><docno>2</docno>compact memories\nhave </doc><DOC>\n<DOCNO>3</DOCNO>\n</DOC>\n",
    ),
    (
        "topics.txt",
        "<top>\n\n<num> Number: 051\n<title> Topic:  Airbus Subsidies\n\n<desc> Description:\nWhat of it\n</top>\n\
         <top>\n<num>2</num><title>\nDIELECTRIC CONSTANT\n</title>\n</top>\n<top><num>3</num><title></title><desc>only this</desc></top>\n",
    ),
    ("qrels", "51 0 FT-1 2\n2 0 2 1\n3 0 3 0\n"),
];

#[test]
fn trec_takes_documents_and_topics_out_of_their_tags() {
    let held = place(TREC);
    let collection = open(Format::Trec, &held).unwrap();
    let all = documents(&collection).unwrap();
    assert_eq!(all[0].0, "FT-1");
    assert_eq!(all[0].1, "Bread & butter");
    assert_eq!(all[0].2.split_whitespace().collect::<Vec<_>>().join(" "), "if a < b, then c");
    assert_eq!(all[1], triple("2", "", "compact memories\nhave"));
    assert_eq!(all[2], triple("3", "", ""));
    assert_eq!(
        queries(&collection),
        [("51", "Airbus Subsidies"), ("2", "DIELECTRIC CONSTANT"), ("3", "only this")]
    );
    assert_eq!((grade(&collection, "51", "FT-1"), grade(&collection, "3", "3")), (Some(2), None));
}

#[test]
fn trec_that_ends_in_the_middle_or_has_no_ids_is_refused() {
    for (text, wanted) in [
        ("<DOC>\n<DOCNO>1</DOCNO>\nx", "line 1: the file ends within `<doc>`"),
        ("\n<DOC>\nx\n</DOC>\n", "line 2: a document without `<DOCNO>`"),
    ] {
        let held = place(&[("docs", text), TREC[1], TREC[2]]);
        let collection = open(Format::Trec, &held).unwrap();
        let refused = said(documents(&collection));
        assert!(refused.contains(wanted), "{refused}");
    }
    let refused = said(open(Format::Trec, &place(&[TREC[0], TREC[1], ("qrels", "51 0 FT-1 1\n51 FT-2\n")])));
    // A file of other columns is no list of judgements.
    assert!(refused.contains("has no qrels"), "{refused}");
}

#[test]
fn trec_takes_topics_of_a_line_each_and_old_letters() {
    let place = place(&[TREC[2], ("queries.tsv", "51\twhat of it\n2\tand that\n")]);
    fs::write(place.path().join("docs"), b"<DOC><DOCNO>1</DOCNO>caf\xe9</DOC>").unwrap();
    let collection = open(Format::Trec, &place).unwrap();
    assert_eq!(queries(&collection), [("51", "what of it"), ("2", "and that")]);
    assert_eq!(documents(&collection).unwrap(), [triple("1", "", "café")]);
}

#[test]
fn jsonl_reads_what_is_imported_and_exported() {
    let files = [
        (
            "docs.jsonl",
            "{\"id\":\"a\",\"type\":\"host\",\"attributes\":{\"name\":\"gate\"},\"texts\":[{\"text\":\"one\"},{\"text\":\"two\"}]}\n\
             {\"relation\":\"knows\",\"from\":\"a\",\"to\":\"b\"}\n{\"docno\":\"b\",\"contents\":\"three\"}\n",
        ),
        ("queries.jsonl", "{\"id\":1,\"query\":\"what\"}\n"),
        (
            "qrels.jsonl",
            "{\"query\":1,\"document\":\"a\",\"grade\":3}\n{\"query\":\"1\",\"document\":\"b\",\"grade\":0}\n",
        ),
    ];
    let held = place(&files);
    let collection = open(Format::Jsonl, &held).unwrap();
    assert_eq!(documents(&collection).unwrap(), [triple("a", "gate", "one\ntwo"), triple("b", "", "three")]);
    assert_eq!((grade(&collection, "1", "a"), grade(&collection, "1", "b")), (Some(3), Some(0)));
}

#[test]
fn the_queries_of_a_tenant_are_judged_by_lists_or_one_by_one() {
    let place = place(&[(
        "clicks.jsonl",
        "{\"query\":\"stolen tickets\",\"relevant\":[\"t-1\",\"t-2\"]}\n{\"query\":\"dns\",\"document\":\"t-3\",\"grade\":2}\n\
         {\"query\":\"dns\",\"document\":\"t-4\",\"grade\":1}\n{\"query\":\"nothing\",\"relevant\":[]}\n",
    )]);
    let (queries, judgements) = judged_queries(&place.path().join("clicks.jsonl")).unwrap();
    let texts: Vec<_> = queries.iter().map(|query| query.text.as_str()).collect();
    assert_eq!(texts, ["stolen tickets", "dns"]);
    assert_eq!(judgements.of("stolen tickets").unwrap().len(), 2);
    assert_eq!(judgements.of("dns").unwrap()["t-3"], 2);
}
