//! Exit statuses by convention.

/// The signal that an exit status stands for: a shell, and what runs others as it does, ends with 128 and the number of
/// the signal that killed its last command.
pub fn signal_of_status(status: i32) -> Option<i32> {
    Some(status - 128).filter(|signal| (1..=64).contains(signal))
}

#[cfg(test)]
mod tests {
    use super::signal_of_status;

    #[test]
    fn a_status_above_128_is_a_signal() {
        assert_eq!(
            [0, 1, 128, 159, 193, 255].map(signal_of_status),
            [None, None, None, Some(31), None, None]
        );
    }
}
