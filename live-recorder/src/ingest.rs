//! What publishers may do, as `up` and `gateway` are told.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use gateway::Network;
use push_auth::PushKeys;

/// For how many seconds a signed push URL holds after the time that it says.
const PUSH_VALIDITY_S: u64 = 1800;

use crate::entrances::EntranceArgs;
use crate::settings_file::{SecondPublisher, SettingsFile, one};
use crate::size::parse_bytes;

/// The settings of RTMP ingest.
#[derive(clap::Args, Clone, Default)]
pub(crate) struct IngestArgs {
    /// A file of settings in TOML, beside those of options and the environment: ingest_token, admin_token, push_domains,
    /// push_from, push_keys, push_validity, proxy_from, default_domain, second_publisher, spool_limit, max_connections,
    /// max_connections_per_address. SIGHUP and `live-recorder reload` have it read anew, and --push-key-file; pushes go
    /// on. What holds only from the next start on, from default_domain on in this list, is told then.
    #[arg(long, value_name = "FILE", env = "LIVE_RECORDER_SETTINGS")]
    pub(crate) settings: Option<PathBuf>,
    /// Streaming domain of publishers that name none; by default the address that they connected to.
    #[arg(long, value_name = "DOMAIN")]
    pub(crate) default_domain: Option<String>,
    /// A streaming domain that may be pushed to. Several are separated by commas, or each has the option again. By
    /// default any may. The functions are asked as well, which have a list of their own, the variable push_domains, and
    /// know the forbidden streams; where they do not answer within 2 s, this list alone counts.
    #[arg(long, value_name = "DOMAIN", value_delimiter = ',', env = "LIVE_RECORDER_PUSH_DOMAINS")]
    push_domain: Vec<String>,
    /// An address, or a network such as 192.0.2.0/24 or 2001:db8::/32, from which may be pushed. Several are separated by
    /// commas, or each has the option again. By default from anywhere. What connects from elsewhere is sent away at once.
    #[arg(long, value_name = "CIDR", value_delimiter = ',', env = "LIVE_RECORDER_PUSH_FROM")]
    push_from: Vec<String>,
    /// A key by which push URLs of a streaming domain have to be signed (`auth_key`, type A of Alibaba Cloud's URL
    /// signing); `*` is every domain that has no key of its own. Several are separated by commas, or each has the option
    /// again; each key of a domain holds, so that they can be changed. With any key, a domain without one cannot be
    /// pushed to; without, anybody may push. What is given here can be seen by who may list the processes of the machine:
    /// the variable and --push-key-file cannot.
    #[arg(
        long,
        value_name = "DOMAIN=KEY",
        value_delimiter = ',',
        env = "LIVE_RECORDER_PUSH_KEYS",
        hide_env_values = true
    )]
    push_key: Vec<String>,
    /// A file of such keys, one a line, beside those of --push-key. Empty lines and those that begin with # are passed
    /// over.
    #[arg(long, value_name = "FILE")]
    pub(crate) push_key_file: Option<PathBuf>,
    /// For how long a signed push URL holds after the time that it says, by default half an hour.
    #[arg(long, value_name = "SECONDS")]
    push_validity: Option<u64>,
    /// Let anybody push, without a key, who can reach an address that is not of this machine alone.
    #[arg(long)]
    open: bool,
    /// What becomes of a publisher of a stream that another one is publishing. The same publisher, which comes from the
    /// same address with the same arguments beside `auth_key`, always takes over at once, and so does any other where the
    /// first one's connection is dead. By default it is refused.
    #[arg(long, value_enum)]
    pub(crate) second_publisher: Option<SecondPublisher>,
    /// How much may wait on disk for functions that do not take it, in bytes or with a unit: 500MB, 4GiB. A stream may
    /// use all that no other one needs. When it is full, each is held to an equal share, and one that cannot be delivered
    /// gives up its oldest media. By default 4GiB, but at most half of what the disk has room for.
    #[arg(long, value_name = "SIZE", value_parser = parse_bytes)]
    pub(crate) spool_limit: Option<u64>,
    /// How many connections are taken at once, publishing or not, by default 4096. The limit of open files is raised as
    /// far as the system allows; a quarter of it is taken at most.
    #[arg(long, value_name = "COUNT")]
    pub(crate) max_connections: Option<NonZeroUsize>,
    /// How many of them from one address, or from one IPv6 network of 64 bits; by default a quarter of all, and at most
    /// 1024.
    #[arg(long, value_name = "COUNT")]
    pub(crate) max_connections_per_address: Option<NonZeroUsize>,
    #[command(flatten)]
    pub(crate) entrances: EntranceArgs,
}

impl IngestArgs {
    /// The keys for a gateway that publishers reach at these addresses.
    ///
    /// # Errors
    /// A key that cannot be used, or none where anybody could push. No error says anything of a key.
    pub(crate) fn push_keys(&self, settings: &SettingsFile, addresses: &[SocketAddr]) -> Result<PushKeys> {
        let validity = one("push_validity", self.push_validity.as_ref(), &settings.push_validity)?;
        let mut keys = PushKeys::new(validity.unwrap_or(PUSH_VALIDITY_S));
        for (at, setting) in self.push_key.iter().enumerate().filter(|(_, setting)| !setting.is_empty()) {
            add(&mut keys, setting).with_context(|| {
                format!("key {} of --push-key or LIVE_RECORDER_PUSH_KEYS cannot be used", at + 1)
            })?;
        }
        for (at, setting) in settings.push_keys.iter().enumerate() {
            add(&mut keys, setting).with_context(|| {
                format!("key {} of push_keys in the file of --settings cannot be used", at + 1)
            })?;
        }
        if let Some(file) = &self.push_key_file {
            let name = file.display();
            let text = std::fs::read_to_string(file).with_context(|| format!("{name} cannot be read"))?;
            for (at, line) in text.lines().map(str::trim).enumerate() {
                if !line.is_empty() && !line.starts_with('#') {
                    add(&mut keys, line)
                        .with_context(|| format!("the key in line {} of {name} cannot be used", at + 1))?;
                }
            }
            ensure!(!keys.is_empty(), "{name} has no key");
        }
        self.check_exposure(addresses, &keys)?;
        Ok(keys)
    }

    /// Checks that nobody is let push from outside unless that is wanted.
    fn check_exposure(&self, addresses: &[SocketAddr], keys: &PushKeys) -> Result<()> {
        let Some(exposed) = addresses.iter().find(|address| !address.ip().is_loopback()) else {
            return Ok(());
        };
        ensure!(
            self.open || !keys.is_empty(),
            "{exposed} can be reached from outside, and anybody could push there: set keys by which push URLs have to be \
             signed (--push-key, --push-key-file, LIVE_RECORDER_PUSH_KEYS or push_keys in the file of --settings), or let anybody push with --open"
        );
        Ok(())
    }

    /// The domains that may be pushed to; none: any.
    pub(crate) fn push_domains(&self, settings: &SettingsFile) -> Vec<String> {
        // A variable that is set to nothing names none.
        let given = self.push_domain.iter().filter(|domain| !domain.is_empty());
        given.chain(&settings.push_domains).cloned().collect()
    }

    /// From where may be pushed; none: anywhere.
    ///
    /// # Errors
    /// What is neither an address nor a network.
    pub(crate) fn push_from(&self, settings: &SettingsFile) -> Result<Vec<Network>> {
        let given = self.push_from.iter().filter(|network| !network.is_empty());
        let parsed: Result<_> = given.chain(&settings.push_from).map(|network| network.parse()).collect();
        parsed.context(
            "--push-from, LIVE_RECORDER_PUSH_FROM or push_from in the file of --settings cannot be used",
        )
    }
}

/// Adds a key that is written as `DOMAIN=KEY`, with or without spaces around each; the key may hold `=` too.
fn add(keys: &mut PushKeys, setting: &str) -> Result<()> {
    let (domain, key) = setting.split_once('=').context("it is not of the form DOMAIN=KEY")?;
    Ok(keys.add(domain.trim(), key.trim())?)
}

#[cfg(test)]
mod tests;
