//! Pages of a list.

use crate::words::Order;

/// One page of a list, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The entries.
    pub entries: Vec<T>,
    /// Number of the page, from 1.
    pub number: u32,
    /// Entries a page.
    pub size: u32,
    /// Entries on all pages.
    pub total: u64,
}

impl<T> Page<T> {
    /// Cuts a page out of a list that is oldest first. A page past the end is empty.
    #[must_use]
    pub fn of(mut list: Vec<T>, number: u32, size: u32, order: Order) -> Self {
        if order == Order::Descending {
            list.reverse();
        }
        let total = list.len() as u64;
        let skipped = u64::from(number.saturating_sub(1)) * u64::from(size);
        let skipped = usize::try_from(skipped).unwrap_or(usize::MAX);
        let taken = usize::try_from(size).unwrap_or(usize::MAX);
        Self { entries: list.into_iter().skip(skipped).take(taken).collect(), number, size, total }
    }

    /// How many pages there are.
    #[must_use]
    pub fn pages(&self) -> u64 {
        self.total.div_ceil(self.size.max(1).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_cut_in_either_order() {
        let page = |number, order| Page::of((0..12).collect(), number, 5, order);
        assert_eq!(page(1, Order::Ascending).entries, [0, 1, 2, 3, 4]);
        assert_eq!(page(3, Order::Ascending).entries, [10, 11]);
        assert_eq!(page(1, Order::Descending).entries, [11, 10, 9, 8, 7]);
        assert!(page(4, Order::Ascending).entries.is_empty());
        assert!(page(u32::MAX, Order::Ascending).entries.is_empty());
        assert_eq!((page(1, Order::Ascending).total, page(1, Order::Ascending).pages()), (12, 3));
        assert_eq!(Page::<u8>::of(vec![], 1, 10, Order::Ascending).pages(), 0);
    }
}
