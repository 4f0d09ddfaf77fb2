create table derived.limit_receipts (
    account_id text not null,
    session_date date not null,
    inputs_sha256 text not null,
    policy_version text not null,
    limit_usd numeric(18, 2) not null,
    limit_source text not null
    check (limit_source in ('published', 'emailed', 'base', 'temporary', 'intraday', 'default')),
    limit_since timestamptz,
    limit_count integer not null,
    largest_loss_usd numeric not null,
    largest_loss_at timestamptz,
    loss_from_top_usd numeric not null,
    use_ratio numeric,
    final_usd numeric not null,
    outcome text not null check (outcome in ('within', 'hit', 'breach')),
    hit_kind text check (hit_kind in ('fill', 'gap', 'close', 'limit change')),
    hit_at timestamptz,
    hit_symbol text,
    hit_price numeric,
    hit_before_usd numeric,
    hit_after_usd numeric,
    furthest_usd numeric,
    enlarging_fill_count integer,
    minutes_until_flat numeric,
    breach_reasons text[] not null,
    primary key (account_id, session_date),
    foreign key (account_id, session_date) references derived.running_lows (account_id, session_date)
    on delete cascade,
    check ((outcome = 'within') = (hit_kind is null)),
    check ((outcome = 'breach') = (breach_reasons <> '{}'))
);

create index limit_receipts_beyond on derived.limit_receipts (session_date, account_id) where outcome <> 'within';

comment on table derived.limit_receipts is
'Use of its limit by each account-session, as currently known. A cache: rebuilt from running_lows, fills and limits in '
'force. Grain: one row per account and session whose books are complete. Between own fills the running P&L is not '
'seen: losses are at least what is stated.';
comment on column derived.limit_receipts.account_id is 'Account.';
comment on column derived.limit_receipts.session_date is 'Session the row belongs to.';
comment on column derived.limit_receipts.inputs_sha256 is 'Hash of the limits and thresholds the row was made with.';
comment on column derived.limit_receipts.policy_version is 'Version of the policy whose thresholds apply.';
comment on column derived.limit_receipts.limit_usd is
'Limit in force: at the limit hit, else at the largest use, US dollars; 0 = no trading.';
comment on column derived.limit_receipts.limit_source is 'Where that limit comes from.';
comment on column derived.limit_receipts.limit_since is 'Since when; null = always.';
comment on column derived.limit_receipts.limit_count is 'Limits that were in force in turn during the session.';
comment on column derived.limit_receipts.largest_loss_usd is 'Largest loss of the running P&L, US dollars, 0 = none.';
comment on column derived.limit_receipts.largest_loss_at is 'When; null = at the close, no loss, or time unknown.';
comment on column derived.limit_receipts.loss_from_top_usd is
'Largest fall of the running P&L from the day''s top, US dollars.';
comment on column derived.limit_receipts.use_ratio is 'Largest loss / limit in force; null = n/a, the limit was 0.';
comment on column derived.limit_receipts.final_usd is 'P&L at the close, US dollars, gains positive.';
comment on column derived.limit_receipts.outcome is
'within, hit (stopped at the limit) or breach of the limit in force.';
comment on column derived.limit_receipts.hit_kind is
'What first reached the limit: a fill, a gap of a carried position, the marks at the close, or a new limit that took '
'effect; null = nothing.';
comment on column derived.limit_receipts.hit_at is 'When; null = at the close, or time unknown.';
comment on column derived.limit_receipts.hit_symbol is 'Symbol of that fill; null without one.';
comment on column derived.limit_receipts.hit_price is 'Price of that fill, in its currency.';
comment on column derived.limit_receipts.hit_before_usd is 'Running P&L before it, US dollars.';
comment on column derived.limit_receipts.hit_after_usd is
'Running P&L after it, US dollars: what stopping at the first crossing would have made of the session.';
comment on column derived.limit_receipts.furthest_usd is 'Lowest running P&L from then on, US dollars.';
comment on column derived.limit_receipts.enlarging_fill_count is
'Fills after it that opened or enlarged a position.';
comment on column derived.limit_receipts.minutes_until_flat is
'Minutes from it until no position was open; null = not by the last fill, or times unknown.';
comment on column derived.limit_receipts.breach_reasons is 'Why the limit hit is a breach; empty = it is none.';
