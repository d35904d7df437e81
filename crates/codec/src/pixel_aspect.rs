//! The shape of a pixel, which is not always a square.

/// How wide a pixel is to how high it is; neither is 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PixelAspect {
    /// Its width, in any unit.
    pub width: u16,
    /// Its height, in the same one.
    pub height: u16,
}

/// The ratios of `aspect_ratio_idc` 1 to 16 (14496-10 table E-1).
const RATIOS: [(u16, u16); 16] = [
    (1, 1),
    (12, 11),
    (10, 11),
    (16, 11),
    (40, 33),
    (24, 11),
    (20, 11),
    (32, 11),
    (80, 33),
    (18, 11),
    (15, 11),
    (64, 33),
    (160, 99),
    (4, 3),
    (3, 2),
    (2, 1),
];

impl PixelAspect {
    /// A ratio; `None` where a side is 0, which says that nobody knows.
    #[must_use]
    pub fn new(width: u16, height: u16) -> Option<Self> {
        (width > 0 && height > 0).then_some(Self { width, height })
    }

    /// What an `aspect_ratio_idc` stands for; `None` for those that say nothing.
    #[must_use]
    pub fn of_idc(idc: u8) -> Option<Self> {
        let (width, height) = *RATIOS.get(usize::from(idc).checked_sub(1)?)?;
        Self::new(width, height)
    }

    /// Whether pixels are as wide as they are high.
    #[must_use]
    pub fn is_square(self) -> bool {
        self.width == self.height
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_has_two_sides_or_says_nothing() {
        let ratio = |width, height| Some(PixelAspect { width, height });
        assert_eq!(
            [1, 4, 14, 16].map(PixelAspect::of_idc),
            [ratio(1, 1), ratio(16, 11), ratio(4, 3), ratio(2, 1)]
        );
        assert_eq!([0, 17, 254, 255].map(PixelAspect::of_idc), [None; 4]);
        assert_eq!((PixelAspect::new(0, 3), PixelAspect::new(3, 0)), (None, None));
        assert!(PixelAspect::new(7, 7).is_some_and(PixelAspect::is_square));
        assert!(!PixelAspect::new(4, 3).is_some_and(PixelAspect::is_square));
    }
}
