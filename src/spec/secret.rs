//! Variables that look like secrets, told by their names and values: those belong in no file that other accounts can read.

/// A part of a name that says so by itself.
const WORDS: [&str; 12] = [
    "TOKEN",
    "PASSWORD",
    "PASSWD",
    "PASSPHRASE",
    "SECRET",
    "KEY",
    "APIKEY",
    "CREDENTIAL",
    "CREDENTIALS",
    "PRIVATE",
    "PASS",
    "PWD",
];
/// The end of a part, as in `PGPASSWORD` and `AUTHTOKEN`.
const ENDS: [&str; 4] = ["TOKEN", "PASSWORD", "SECRET", "APIKEY"];
/// What only names where a secret is, or is meant for every browser.
const HARMLESS: [&str; 7] = ["FILE", "PATH", "DIR", "ID", "NAME", "PUBLIC", "PUBLISHABLE"];

/// Whether a variable looks like a secret.
pub fn looks_secret(name: &str, value: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    let parts: Vec<&str> = upper.split('_').filter(|part| !part.is_empty()).collect();
    let harmless = parts.iter().any(|part| HARMLESS.contains(part)) || upper == "PWD";
    let named = |part: &&str| WORDS.contains(part) || ENDS.iter().any(|end| part.ends_with(end));
    !value.is_empty() && ((!harmless && parts.iter().any(named)) || holds_password(value))
}

/// `postgres://user:password@host/`.
fn holds_password(value: &str) -> bool {
    let Some((_, rest)) = value.split_once("://") else {
        return false;
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let account = host.rsplit_once('@').map(|(account, _)| account);
    account
        .and_then(|account| account.split_once(':'))
        .is_some_and(|(_, password)| !password.is_empty())
}

#[cfg(test)]
mod tests {
    use super::looks_secret;

    #[test]
    fn names_and_urls_tell() {
        for name in [
            "TOKEN",
            "DB_PASSWORD",
            "PGPASSWORD",
            "STRIPE_SECRET_KEY",
            "api_key",
            "SESSION_SECRET",
            "KEY",
        ] {
            assert!(looks_secret(name, "x"), "{name}");
        }
        assert!(looks_secret("DATABASE_URL", "postgres://web:hunter2@db/web"));
        for name in [
            "NODE_ENV",
            "PORT",
            "MONKEY",
            "PUBLIC_KEY",
            "KEY_FILE",
            "AWS_ACCESS_KEY_ID",
            "TOKENIZER",
            "PWD",
        ] {
            assert!(!looks_secret(name, "x"), "{name}");
        }
        assert!(!looks_secret("DATABASE_URL", "postgres://db:5432/web") && !looks_secret("TOKEN", ""));
    }
}
