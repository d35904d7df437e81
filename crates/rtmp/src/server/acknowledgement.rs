//! When the publisher is to be told how much has arrived (RTMP 1.0 §5.4.3).

/// Bytes after which the peers acknowledge; the value that other servers announce.
pub(super) const WINDOW: u32 = 2_500_000;

/// The smallest window that is kept to, lest a hostile peer make every byte cost an answer.
const MIN_WINDOW: u32 = 4096;

#[derive(Debug)]
pub(super) struct Acknowledgement {
    window: u32,
    total: u32,
    told: u32,
}

impl Default for Acknowledgement {
    fn default() -> Self {
        Self { window: WINDOW, total: 0, told: 0 }
    }
}

impl Acknowledgement {
    /// The publisher asks for another window. No larger one is kept to: a publisher that waits for acknowledgements of
    /// what it sent would wait for them.
    pub(super) fn set_window(&mut self, bytes: u32) {
        self.window = bytes.clamp(MIN_WINDOW, WINDOW);
    }

    /// Counts, and returns the total modulo 2^32 when it is due.
    pub(super) fn received(&mut self, bytes: usize) -> Option<u32> {
        self.total = self.total.wrapping_add(bytes as u32);
        let due = self.total.wrapping_sub(self.told) >= self.window;
        due.then(|| {
            self.told = self.total;
            self.total
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn received_bytes_are_acknowledged_once_a_window_modulo_2_32() {
        let mut acknowledgement = Acknowledgement { window: 100, total: u32::MAX - 49, told: u32::MAX - 49 };
        assert_eq!(acknowledgement.received(99), None);
        assert_eq!(acknowledgement.received(1), Some(50));
        assert_eq!(acknowledgement.received(99), None);
    }

    #[test]
    fn no_window_makes_every_byte_cost_an_answer() {
        let mut acknowledgement = Acknowledgement::default();
        acknowledgement.set_window(0);
        assert_eq!(acknowledgement.received(4095), None);
        assert_eq!(acknowledgement.received(1), Some(4096));
    }

    #[test]
    fn a_publisher_that_asks_for_few_acknowledgements_gets_them_as_others_do() {
        let mut acknowledgement = Acknowledgement::default();
        acknowledgement.set_window(u32::MAX);
        assert_eq!(acknowledgement.received(WINDOW as usize), Some(WINDOW));
    }
}
