//! The words that messages begin with. One list makes the enum and both directions, so that a new word cannot be
//! forgotten in one of them.

macro_rules! words {
    ($name:ident { $($variant:ident = $text:literal,)* }) => {
        #[derive(Clone, Copy)]
        pub(super) enum $name {
            $($variant,)*
        }

        impl $name {
            #[cfg(test)]
            pub(super) const ALL: &[&str] = &[$($text,)*];

            /// `None`: a word of another version.
            fn read(text: &str) -> Option<Self> {
                match text {
                    $($text => Some(Self::$variant),)*
                    _ => None,
                }
            }

            fn text(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }
        }
    };
}

pub(super) use words;
