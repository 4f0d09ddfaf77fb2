create table derived.positions (
    account_id text not null,
    session_date date not null,
    symbol text not null,
    currency text not null,
    quantity numeric not null,
    average_open_price numeric,
    lots jsonb not null,
    multiplier numeric(18, 8),
    mark_price numeric(18, 8),
    mark_source text check (mark_source in ('marks', 'last_fill', 'stale', 'expiry')),
    realized_pnl_usd numeric,
    unrealized_pnl_usd numeric,
    realized_pnl numeric,
    unrealized_pnl numeric,
    rate numeric(18, 8),
    rate_source text check (rate_source in ('marks', 'last_fill', 'stale')),
    rate_date date,
    split_ratio text,
    split_quantity numeric not null default 0,
    expired_quantity numeric not null default 0,
    side_conflicts integer[],
    primary key (account_id, session_date, symbol)
);

-- What may be valued anew: open at the close, or by what files may state. Day traders' positions are mostly flat, and
-- those are found without reading all.
create index positions_valued on derived.positions (session_date, symbol)
where (
    quantity <> 0
    or expired_quantity <> 0
    or multiplier is null
    or rate is distinct from 1
    or split_ratio is not null
    or (symbol !~ '^[A-Z]+$' and length(symbol) <> 21)
);

comment on table derived.positions is
'Positions at the close, as currently known. A cache: rebuilt from fills and marks. Grain: one row per account, '
'session and symbol with an open quantity or a fill.';
comment on column derived.positions.account_id is 'Account.';
comment on column derived.positions.session_date is 'Session the row belongs to.';
comment on column derived.positions.symbol is 'Symbol as the source writes it, upper case.';
comment on column derived.positions.currency is
'Currency of the prices; XXX = several, the account-session is incomplete.';
comment on column derived.positions.quantity is 'Signed quantity at the close, long positive.';
comment on column derived.positions.average_open_price is 'Of the open lots, rounded to 8 places; null where flat.';
comment on column derived.positions.lots is
'Open lots, oldest first: [[opened_session, signed quantity, price], ...], numbers as exact decimal strings.';
comment on column derived.positions.multiplier is
'Currency units per point and contract; null = unknown, or a currency without a rate: the account-session is '
'incomplete.';
comment on column derived.positions.mark_price is 'Price the open quantity is valued at.';
comment on column derived.positions.mark_source is
'Where mark_price comes from; null where flat; null with an open quantity = no mark: the account-session is '
'incomplete.';
comment on column derived.positions.realized_pnl_usd is
'Gross P&L of quantities closed in the session, US dollars; null = unknown.';
comment on column derived.positions.unrealized_pnl_usd is 'Unrealized P&L at the close, US dollars; null = unknown.';
comment on column derived.positions.realized_pnl is 'As realized_pnl_usd, in the currency.';
comment on column derived.positions.unrealized_pnl is 'As unrealized_pnl_usd, in the currency.';
comment on column derived.positions.rate is
'US dollars for one unit of the currency; null = unknown, the account-session is incomplete.';
comment on column derived.positions.rate_source is
'Where the spot price behind the rate comes from; null for US dollars.';
comment on column derived.positions.rate_date is 'Session of that spot price; null for US dollars.';
comment on column derived.positions.split_ratio is
'new:old of the session''s split, with its new symbol if it has one; also of those whose new symbol this is.';
comment on column derived.positions.split_quantity is 'Signed quantity added by splits and new symbols.';
comment on column derived.positions.expired_quantity is 'Signed quantity added by the expiry.';
comment on column derived.positions.side_conflicts is
'Numbers, in the order of execution, of the fills whose side contradicts the position they met.';
