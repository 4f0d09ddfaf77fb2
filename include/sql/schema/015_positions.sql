-- Positions at the close, the newest knowledge. A cache: rebuilt from fills and marks at will.
-- Grain: one row per account, session and symbol with an open quantity or a fill. Reads: -. Writes: positions.
-- Binds: -. Money: prices in the position's currency, P&L in US dollars, null where it is unknown; quantity signed,
-- long positive. Rerun: applied once.
-- lots: [[opened_session, signed quantity, price], ...] oldest first, numbers as exact decimal strings.
-- average_open_price: of the open lots, rounded to 8 places; null where flat.
-- mark_source: marks, last_fill, stale. Null where flat; null with an open quantity = no mark: the account-session is
-- incomplete. multiplier: null = unknown, or a currency without a rate: the account-session is incomplete.
create table positions (
    account_id text not null,
    session_date date not null,
    symbol text not null,
    currency text not null,
    quantity numeric not null,
    average_open_price numeric,
    lots jsonb not null,
    multiplier numeric(18, 8),
    mark_price numeric(18, 8),
    mark_source text check (mark_source in ('marks', 'last_fill', 'stale')),
    realized_pnl_usd numeric,
    unrealized_pnl_usd numeric,
    primary key (account_id, session_date, symbol)
);
