create table derived.last_fills (
    session_date date not null,
    symbol text not null,
    currency text,
    instant bigint not null,
    tie_rank integer not null,
    price numeric(18, 8) not null,
    first_instant bigint not null,
    first_price numeric(18, 8) not null,
    unique nulls not distinct (session_date, symbol, currency)
);

comment on table derived.last_fills is
'Last and first fill of each symbol and session over all accounts: the last values a position without a mark, the '
'first shows how the symbol opened; fills at 0 count as neither. A cache: rebuilt for a session whenever one of its '
'deliveries changes. Grain: one row per session, symbol and currency.';
comment on column derived.last_fills.session_date is 'Session the row belongs to.';
comment on column derived.last_fills.symbol is 'Symbol as the source writes it, upper case.';
comment on column derived.last_fills.currency is 'As in fills.';
comment on column derived.last_fills.instant is 'Time of the last fill, microseconds since 1970 (UTC).';
comment on column derived.last_fills.tie_rank is
'As in fills; at one instant the greater rank counts, of different accounts then the higher price.';
comment on column derived.last_fills.price is 'Price per unit in the currency.';
comment on column derived.last_fills.first_instant is 'Time of the first fill, as instant.';
comment on column derived.last_fills.first_price is
'Its price; at one instant the smaller rank, of different accounts then the lower price.';
