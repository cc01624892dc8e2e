//! Records of the attribute authority (`docs/formats/rows.md`, table `0x18`).

use strongroom_ambient::UnixMillis;
use strongroom_barrier::{Reader, Writer};
use strongroom_model::Name;
use strongroom_sharing::MemberId;

const FORMAT: u8 = 1;

/// What a row of the table is: the first byte of its record, and part of its key's hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(super) enum What {
    Authority = 1,
    Secrets = 2,
    Member = 3,
    Removed = 4,
    Group = 5,
    Right = 6,
    Head = 7,
    Mark = 8,
    Replaced = 9,
}

impl What {
    pub(super) fn of(byte: u8) -> Option<Self> {
        use What as W;
        let members = [W::Member, W::Removed, W::Group, W::Right];
        let all = [W::Authority, W::Secrets].into_iter().chain(members);
        all.chain([W::Head, W::Mark, W::Replaced]).find(|what| *what as u8 == byte)
    }
}

/// The authority: everything about it that is no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorityRecord {
    /// Made when.
    pub created: UnixMillis,
    /// The life of the store that it was last in force in: a restored one is another.
    pub incarnation: [u8; 16],
    /// The public key of its attribute-based encryption.
    pub public_key: Vec<u8>,
    /// The key that manifests are checked with, a SubjectPublicKeyInfo.
    pub signing_key: Vec<u8>,
    /// The key that tokens are checked with, a SubjectPublicKeyInfo.
    pub token_key: Vec<u8>,
    /// Says which value of the configuration the key of tokens was derived from.
    pub token_key_of: [u8; 32],
    /// The present epoch, from 1.
    pub epoch: u64,
    /// When it began.
    pub epoch_since: UnixMillis,
    /// Ranges of epochs that there never were.
    pub gaps: Vec<(u64, u64)>,
}

/// Whether a member's tokens and keys hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// They do.
    Active,
    /// Not now.
    Suspended,
    /// Never again; what it signed is still checked.
    Removed,
}

/// A time in which a member had these attributes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// The first epoch.
    pub from: u64,
    /// The last one; absent: it goes on.
    pub to: Option<u64>,
    /// In capitals, in order.
    pub attributes: Vec<String>,
}

/// A member of the sharing system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberRecord {
    /// Its id: what others know it by.
    pub id: MemberId,
    /// The registered name.
    pub name: Name,
    /// Whether it administers, and holds no keys.
    pub admin: bool,
    /// Whether its tokens and keys hold.
    pub standing: Standing,
    /// Made when.
    pub created: UnixMillis,
    /// Tokens made then or earlier have ended.
    pub tokens_ended: UnixMillis,
    /// The password's hash, a PHC string.
    pub password: String,
    /// What it has now, in capitals, in order.
    pub attributes: Vec<String>,
    /// When it had what.
    pub spans: Vec<Span>,
    /// Epochs that it may read besides: ranges in order.
    pub past: Vec<(u64, u64)>,
    /// X-Wing public key.
    pub wrap_key: Option<Vec<u8>>,
    /// Ed25519 SubjectPublicKeyInfo, the present one first.
    pub signing_keys: Vec<Vec<u8>>,
}

/// Who may search a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleRecord {
    /// The field, or `*`.
    pub field: String,
    /// Whose attributes; absent: every member.
    pub policy: Option<String>,
}

/// A group of collectors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CollectorsRecord {
    /// The group's name.
    pub name: Name,
    /// Which; absent: all of them.
    pub collectors: Option<Vec<MemberId>>,
    /// Who may search which field.
    pub rules: Vec<RuleRecord>,
}

/// A registered right: its attributes, in order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RightRecord {
    /// In capitals, in order.
    pub attributes: Vec<String>,
}

/// A record as its row holds it.
pub(super) trait Row: Sized {
    const WHAT: What;
    fn write(&self, writer: Writer) -> Writer;
    fn read(reader: &mut Reader<'_>) -> Option<Self>;

    fn encode(&self) -> Vec<u8> {
        self.write(Writer::new().u8(Self::WHAT as u8).u8(FORMAT)).finish()
    }

    /// `None`: it is no such record.
    fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        let fits = reader.u8()? == Self::WHAT as u8 && reader.u8()? == FORMAT;
        let record = fits.then(|| Self::read(&mut reader))??;
        reader.rest().is_empty().then_some(record)
    }
}

fn list<T>(writer: Writer, items: &[T], each: impl FnMut(Writer, &T) -> Writer) -> Writer {
    let writer = writer.u32(u32::try_from(items.len()).unwrap_or(u32::MAX));
    items.iter().fold(writer, each)
}

fn read_list<T>(
    reader: &mut Reader<'_>,
    mut each: impl FnMut(&mut Reader<'_>) -> Option<T>,
) -> Option<Vec<T>> {
    let count = reader.u32()?;
    (0..count).map(|_| each(reader)).collect()
}

fn texts(writer: Writer, items: &[String]) -> Writer {
    list(writer, items, |writer, text| writer.bytes(text.as_bytes()))
}

fn read_texts(reader: &mut Reader<'_>) -> Option<Vec<String>> {
    read_list(reader, |reader| reader.text().map(str::to_owned))
}

fn ranges(writer: Writer, items: &[(u64, u64)]) -> Writer {
    list(writer, items, |writer, (from, to)| writer.u64(*from).u64(*to))
}

fn read_ranges(reader: &mut Reader<'_>) -> Option<Vec<(u64, u64)>> {
    read_list(reader, |reader| Some((reader.u64()?, reader.u64()?)))
}

fn flag(reader: &mut Reader<'_>) -> Option<bool> {
    match reader.u8()? {
        0 => Some(false),
        1 => Some(true),
        _ => None,
    }
}

fn optional(writer: Writer, bytes: Option<&[u8]>) -> Writer {
    match bytes {
        Some(bytes) => writer.u8(1).bytes(bytes),
        None => writer.u8(0),
    }
}

impl Row for AuthorityRecord {
    const WHAT: What = What::Authority;

    fn write(&self, writer: Writer) -> Writer {
        let writer = writer
            .i64(self.created.0)
            .raw(&self.incarnation)
            .bytes(&self.public_key)
            .bytes(&self.signing_key)
            .bytes(&self.token_key)
            .raw(&self.token_key_of)
            .u64(self.epoch)
            .i64(self.epoch_since.0);
        ranges(writer, &self.gaps)
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self {
            created: UnixMillis(reader.i64()?),
            incarnation: reader.array()?,
            public_key: reader.bytes()?.to_vec(),
            signing_key: reader.bytes()?.to_vec(),
            token_key: reader.bytes()?.to_vec(),
            token_key_of: reader.array()?,
            epoch: reader.u64()?,
            epoch_since: UnixMillis(reader.i64()?),
            gaps: read_ranges(reader)?,
        })
    }
}

impl Standing {
    fn code(self) -> u8 {
        match self {
            Self::Active => 1,
            Self::Suspended => 2,
            Self::Removed => 3,
        }
    }

    fn of(code: u8) -> Option<Self> {
        [Self::Active, Self::Suspended, Self::Removed].into_iter().find(|standing| standing.code() == code)
    }
}

fn write_span(writer: Writer, span: &Span) -> Writer {
    let writer = writer.u64(span.from).u64(span.to.unwrap_or_default());
    texts(writer, &span.attributes)
}

fn read_span(reader: &mut Reader<'_>) -> Option<Span> {
    let (from, to) = (reader.u64()?, reader.u64()?);
    // epochs begin with 1
    Some(Span { from, to: (to != 0).then_some(to), attributes: read_texts(reader)? })
}

impl Row for MemberRecord {
    const WHAT: What = What::Member;

    fn write(&self, writer: Writer) -> Writer {
        let writer = writer
            .raw(&self.id.0)
            .bytes(self.name.as_str().as_bytes())
            .u8(u8::from(self.admin))
            .u8(self.standing.code())
            .i64(self.created.0)
            .i64(self.tokens_ended.0)
            .bytes(self.password.as_bytes());
        let writer = list(texts(writer, &self.attributes), &self.spans, write_span);
        let writer = optional(ranges(writer, &self.past), self.wrap_key.as_deref());
        list(writer, &self.signing_keys, |writer, key| writer.bytes(key))
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self {
            id: MemberId(reader.array()?),
            name: Name::new(reader.text()?).ok()?,
            admin: flag(reader)?,
            standing: Standing::of(reader.u8()?)?,
            created: UnixMillis(reader.i64()?),
            tokens_ended: UnixMillis(reader.i64()?),
            password: reader.text()?.to_owned(),
            attributes: read_texts(reader)?,
            spans: read_list(reader, read_span)?,
            past: read_ranges(reader)?,
            wrap_key: if flag(reader)? { Some(reader.bytes()?.to_vec()) } else { None },
            signing_keys: read_list(reader, |reader| reader.bytes().map(<[u8]>::to_vec))?,
        })
    }
}

impl Row for CollectorsRecord {
    const WHAT: What = What::Group;

    fn write(&self, writer: Writer) -> Writer {
        let writer = writer.bytes(self.name.as_str().as_bytes());
        let writer = match &self.collectors {
            Some(ids) => list(writer.u8(1), ids, |writer, id| writer.raw(&id.0)),
            None => writer.u8(0),
        };
        list(writer, &self.rules, |writer, rule| {
            optional(writer.bytes(rule.field.as_bytes()), rule.policy.as_deref().map(str::as_bytes))
        })
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let name = Name::new(reader.text()?).ok()?;
        let named = flag(reader)?;
        let ids = |reader: &mut Reader<'_>| read_list(reader, |reader| reader.array().map(MemberId));
        let collectors = if named { Some(ids(reader)?) } else { None };
        let rules = read_list(reader, |reader| {
            let field = reader.text()?.to_owned();
            let policy = if flag(reader)? { Some(reader.text()?.to_owned()) } else { None };
            Some(RuleRecord { field, policy })
        })?;
        Some(Self { name, collectors, rules })
    }
}

impl Row for RightRecord {
    const WHAT: What = What::Right;

    fn write(&self, writer: Writer) -> Writer {
        texts(writer, &self.attributes)
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self { attributes: read_texts(reader)? })
    }
}

impl RightRecord {
    /// What its row is named by.
    pub(super) fn about(&self) -> Vec<u8> {
        texts(Writer::new(), &self.attributes).finish()
    }
}
