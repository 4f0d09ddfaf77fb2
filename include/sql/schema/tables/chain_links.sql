create table risk.chain_links (
    sequence bigint primary key check (sequence > 0),
    format_number integer not null,
    kind text not null,
    subject text not null,
    row_count bigint not null check (row_count > 0),
    content_sha256 text not null,
    previous_sha256 text not null,
    link_sha256 text not null,
    recorded_at timestamptz not null
);

create index chain_links_subject on risk.chain_links (kind, subject);

comment on table risk.chain_links is
'The chain: a link for each row of the linked tables, written in the row''s transaction by link_rows. Mails name the '
'newest link, so that mailboxes witness all rows before it; riskctl verify compares. Grain: one row per linked row, or '
'per statement that loads many. Append only; the pipeline''s role only reads it.';
comment on column risk.chain_links.sequence is '1, 2, ... without gaps.';
comment on column risk.chain_links.format_number is 'How the hashes are computed; 1 = see risk.core.verify.';
comment on column risk.chain_links.kind is 'Table of the row.';
comment on column risk.chain_links.subject is
'Key of the row; of rows that one statement loads the first and last key, joined by a hyphen.';
comment on column risk.chain_links.row_count is 'Rows it links.';
comment on column risk.chain_links.content_sha256 is
'SHA-256 of the row''s canonical JSON; of rows that one statement loads, of their hashes in the order of their keys.';
comment on column risk.chain_links.previous_sha256 is 'Hash of the previous link; 64 zeros for the first.';
comment on column risk.chain_links.link_sha256 is 'SHA-256 of the canonical JSON of the columns above and recorded_at.';
comment on column risk.chain_links.recorded_at is 'When the row was recorded (committed).';
