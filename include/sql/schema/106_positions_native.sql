-- Keeps positions in their own currency, with the rate that makes them US dollars, and what splits and expiries did.
-- Grain: one row per account, session and symbol. Reads: -. Writes: positions. Binds: -. Rerun: applied once.
-- Money: realized_pnl and unrealized_pnl in currency; rate: US dollars for one unit of it.
-- rate_source: as mark_source, of the spot's price; rate_date: the session it is of; both null for US dollars.
-- rate null: unknown, the account-session is incomplete. currency XXX: several, the account-session is incomplete.
-- split_ratio: new:old of the session's split; split_quantity, expired_quantity: signed, what it and the expiry added.
-- side_conflicts: numbers, in the order of execution, of the fills whose side contradicts the position they met.
alter table positions
add column realized_pnl numeric,
add column unrealized_pnl numeric,
add column rate numeric(18, 8),
add column rate_source text check (rate_source in ('marks', 'last_fill', 'stale')),
add column rate_date date,
add column split_ratio text,
add column split_quantity numeric not null default 0,
add column expired_quantity numeric not null default 0,
add column side_conflicts integer[],
drop constraint positions_mark_source_check,
add constraint positions_mark_source_check check (mark_source in ('marks', 'last_fill', 'stale', 'expiry'));
