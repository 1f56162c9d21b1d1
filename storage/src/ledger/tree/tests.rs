use super::*;

/// The tree head of RFC 6962, section 2.1, word for word: slow, and the judge of everything in these modules.
pub(in crate::ledger) fn naive_root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => EMPTY_ROOT,
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(1 << (leaves.len() - 1).ilog2());
            node_hash(&naive_root(left), &naive_root(right))
        }
    }
}

/// Distinct leaf hashes.
pub(in crate::ledger) fn leaves(count: u64) -> Vec<Hash> {
    (0..count).map(|index| leaf_hash(&index.to_be_bytes())).collect()
}

pub(in crate::ledger) fn frontier(leaves: &[Hash]) -> (Frontier, Vec<(Coord, Hash)>) {
    let mut frontier = Frontier::default();
    let mut completed = Vec::new();
    for leaf in leaves {
        frontier.push(*leaf, &mut completed);
    }
    (frontier, completed)
}

/// Inputs and roots of the reference implementation of Certificate Transparency.
#[test]
fn roots_are_those_of_certificate_transparency() {
    let inputs: [&[u8]; 8] = [
        b"",
        b"\x00",
        b"\x10",
        b"\x20\x21",
        b"\x30\x31",
        b"\x40\x41\x42\x43",
        b"\x50\x51\x52\x53\x54\x55\x56\x57",
        b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
    ];
    let roots = [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];
    let mut frontier = Frontier::default();
    assert_eq!(frontier.root(), EMPTY_ROOT);
    for (input, root) in inputs.iter().zip(roots) {
        frontier.push(leaf_hash(input), &mut Vec::new());
        let hex: String = frontier.root().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, root);
    }
}

#[test]
fn root_is_the_naive_one_at_every_size() {
    let leaves = leaves(600);
    let mut frontier = Frontier::default();
    for size in 0..=600 {
        assert_eq!(frontier.root(), naive_root(&leaves[..size]), "size {size}");
        assert_eq!(Frontier::decode(&frontier.encode()).expect("own bytes"), frontier);
        if let Some(leaf) = leaves.get(size) {
            frontier.push(*leaf, &mut Vec::new());
        }
    }
}

#[test]
fn completed_hashes_are_the_roots_of_full_subtrees() {
    let leaves = leaves(65_536 + 300);
    let (_, completed) = frontier(&leaves);
    assert_eq!(completed.len(), 257 + 1);
    for (Coord { level, index }, hash) in completed {
        let width = 256_usize.pow(level.into());
        let start = index as usize * width;
        assert_eq!(hash, naive_root(&leaves[start..start + width]), "level {level} index {index}");
    }
}

#[test]
fn level_two_follows_level_one() {
    let (_, completed) = frontier(&leaves(65_536));
    let last = completed.iter().rev().take(2).map(|(at, _)| (at.level, at.index));
    assert_eq!(last.collect::<Vec<_>>(), [(2, 0), (1, 255)]);
}

#[test]
fn damaged_frontiers_are_refused() {
    let bytes = frontier(&leaves(7)).0.encode();
    for length in 0..bytes.len() {
        assert!(Frontier::decode(&bytes[..length]).is_err(), "length {length}");
    }
    assert!(Frontier::decode(&[&bytes[..], &[0]].concat()).is_err());
    assert!(Frontier::decode(&[&bytes[..], &[0; 32]].concat()).is_err());
    assert!(Frontier::decode(&[0xff; 8 + 64 * 32]).is_err(), "a size that cannot grow");
}
