//! The header field `traceparent` of W3C Trace Context: <https://www.w3.org/TR/trace-context-2/>.

/// Length of the value in version 00.
pub(crate) const LENGTH: usize = 55;

/// Flag: the sender records its part of the trace.
const SAMPLED: u8 = 1;

/// Flag: the trace id is random.
const RANDOM: u8 = 2;

/// A span and the trace it is part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TraceContext {
    /// The trace; not 0.
    pub trace: u128,
    /// The span; not 0.
    pub span: u64,
    flags: u8,
}

impl TraceContext {
    /// The first span of a new trace.
    pub(crate) fn root(is_sampled: bool) -> Self {
        let flags = RANDOM | if is_sampled { SAMPLED } else { 0 };
        Self { trace: fastrand::u128(1..), span: fastrand::u64(1..), flags }
    }

    /// A child span.
    pub(crate) fn child(self) -> Self {
        Self { span: fastrand::u64(1..), ..self }
    }

    /// Whether the trace is recorded.
    pub(crate) fn is_sampled(self) -> bool {
        self.flags & SAMPLED != 0
    }

    /// The flags field.
    pub(crate) fn flags(self) -> u8 {
        self.flags
    }

    /// Parses a value of any version; none if it is invalid. Additions of later versions are dropped.
    pub(crate) fn parse(value: &[u8]) -> Option<Self> {
        let (known, more) = value.split_at_checked(LENGTH)?;
        let [b'-', trace @ .., b'-', _, _] = &known[2..] else { return None };
        let (trace, span) = trace.split_at_checked(32)?;
        let [b'-', span @ ..] = span else { return None };
        let version = hex(&known[..2])?;
        let is_complete =
            if version == 0 { more.is_empty() } else { more.first().is_none_or(|b| *b == b'-') };
        if version == 0xff || !is_complete {
            return None;
        }
        let (trace, span) = (hex(trace)?, u64::try_from(hex(span)?).ok()?);
        let flags = u8::try_from(hex(&known[LENGTH - 2..])?).ok()? & (SAMPLED | RANDOM);
        (trace != 0 && span != 0).then_some(Self { trace, span, flags })
    }

    /// The value in version 00.
    pub(crate) fn to_bytes(self) -> [u8; LENGTH] {
        let text = format!("00-{:032x}-{:016x}-{:02x}", self.trace, self.span, self.flags);
        let mut bytes = [0; LENGTH];
        bytes.copy_from_slice(text.as_bytes());
        bytes
    }
}

/// Parses at most 32 lower-case hexadecimal digits.
fn hex(digits: &[u8]) -> Option<u128> {
    digits.iter().try_fold(0, |number, digit| match digit {
        b'0'..=b'9' => Some(number << 4 | u128::from(digit - b'0')),
        b'a'..=b'f' => Some(number << 4 | u128::from(digit - b'a' + 10)),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
    const SPAN: &str = "b7ad6b7169203331";

    #[test]
    fn valid_values_are_read() {
        let context = TraceContext::parse(format!("00-{TRACE}-{SPAN}-01").as_bytes()).unwrap();
        assert_eq!(context.trace, 0x0af7651916cd43dd8448eb211c80319c);
        assert_eq!((context.span, context.is_sampled()), (0xb7ad6b7169203331, true));
        let read = |text: String| TraceContext::parse(text.as_bytes());
        assert!(!read(format!("00-{TRACE}-{SPAN}-00")).unwrap().is_sampled());
        // Unknown flags and additions of later versions are dropped.
        for text in [
            format!("00-{TRACE}-{SPAN}-fd"),
            format!("cc-{TRACE}-{SPAN}-01-what"),
            format!("cc-{TRACE}-{SPAN}-01"),
        ] {
            assert_eq!(read(text), Some(context));
        }
    }

    #[test]
    fn values_that_are_not_valid_are_none() {
        let (none, zeros) = ("0000000000000000", "00000000000000000000000000000000");
        for text in [
            String::new(),
            format!("ff-{TRACE}-{SPAN}-01"),
            format!("00-{zeros}-{SPAN}-01"),
            format!("00-{TRACE}-{none}-01"),
            format!("00-{TRACE}-{SPAN}-01-"),
            format!("00-{TRACE}-{SPAN}-01x"),
            format!("cc-{TRACE}-{SPAN}-01x"),
            format!("00-{TRACE}-{SPAN}-0"),
            format!("00-{TRACE}-{SPAN}-0G"),
            format!("00-{}-{SPAN}-01", TRACE.to_uppercase()),
            format!("00_{TRACE}-{SPAN}-01"),
            format!("00-{TRACE}_{SPAN}-01"),
            format!("00-{TRACE}-{SPAN}_01"),
            format!(" 0-{TRACE}-{SPAN}-01"),
        ] {
            assert_eq!(TraceContext::parse(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn a_child_belongs_to_the_same_trace() {
        let root = TraceContext::root(true);
        let child = root.child();
        assert_eq!((child.trace, child.is_sampled()), (root.trace, true));
        assert_ne!(child.span, root.span);
        assert!(!TraceContext::root(false).child().is_sampled());
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(trace in 1_u128.., span in 1_u64.., is_sampled: bool) {
            let context = TraceContext { trace, span, flags: u8::from(is_sampled) };
            prop_assert_eq!(TraceContext::parse(&context.to_bytes()), Some(context));
        }

        #[test]
        fn nothing_panics(value in proptest::collection::vec(any::<u8>(), 0..80), text in "[0-9a-f-]{50,60}") {
            TraceContext::parse(&value);
            TraceContext::parse(text.as_bytes());
        }
    }
}
