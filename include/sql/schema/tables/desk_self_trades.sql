create table results.desk_self_trades (
    run_id bigint not null references risk.runs (run_id),
    place integer not null,
    session_date date not null,
    buyer_account_id text not null,
    seller_account_id text not null,
    symbol text not null,
    executed_at timestamptz not null,
    quantity numeric(18, 8) not null,
    price numeric(18, 8) not null,
    fill_count integer not null,
    is_volume_known boolean not null,
    primary key (run_id, place)
);

comment on table results.desk_self_trades is
'Fills of two accounts against each other by the vendor''s rule: same time, price, quantity and destination, fewer '
'than 5 million shares traded in the market. Grain: one row per run and place, at most 100 of a session. The task '
'replaces its run''s rows.';
comment on column results.desk_self_trades.run_id is 'Run the row belongs to.';
comment on column results.desk_self_trades.place is 'From 1, by time.';
comment on column results.desk_self_trades.session_date is 'Session of the fills.';
comment on column results.desk_self_trades.buyer_account_id is 'Account that bought.';
comment on column results.desk_self_trades.seller_account_id is 'Account that sold.';
comment on column results.desk_self_trades.symbol is 'Symbol as in fills.';
comment on column results.desk_self_trades.executed_at is 'Second of both fills.';
comment on column results.desk_self_trades.quantity is 'Shares of each fill.';
comment on column results.desk_self_trades.price is 'Price per unit in the currency.';
comment on column results.desk_self_trades.fill_count is 'Pairs of such fills in that second.';
comment on column results.desk_self_trades.is_volume_known is
'False = checked because the market''s volume is unknown.';
