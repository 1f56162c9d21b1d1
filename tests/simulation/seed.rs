//! Everything random in a simulation comes from one number.

/// SplitMix64: a few lines that give the same numbers on every machine and in every year.
#[derive(Clone, Debug)]
pub struct Seeded(u64);

impl Seeded {
    pub fn new(seed: u64, purpose: u64) -> Seeded {
        let mut seeded = Seeded(seed ^ purpose.wrapping_mul(0xd6e8_feb8_6659_fd93));
        seeded.next();
        seeded
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`; 0 if there is none.
    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    pub fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    /// True with a probability in thousandths.
    pub fn chance(&mut self, thousandths: u32) -> bool {
        self.below(1000) < thousandths as usize
    }

    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| self.next() as u8)
    }
}
