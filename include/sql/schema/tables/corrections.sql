create table risk.corrections (
    delivery_id bigint not null references risk.deliveries (delivery_id),
    line_number bigint not null,
    account_id text not null,
    session_date date not null,
    executed_at timestamptz not null,
    tie_rank integer not null,
    kind text not null check (kind in ('canceled', 'corrected')),
    fill_key text not null,
    order_id text,
    side text not null check (side in ('B', 'S', 'T', 'C')),
    quantity numeric(18, 8) not null check (quantity > 0),
    symbol text not null,
    price numeric(18, 8) not null check (price >= 0),
    currency text,
    fees_usd numeric(18, 8) not null,
    primary key (delivery_id, line_number, session_date)
);

comment on table risk.corrections is
'Cancels, busts and corrections of executions, typed and valid, as one delivery brought them. Grain: one row '
'per session, delivery and line. Append only.';
comment on column risk.corrections.delivery_id is 'Delivery that brought the correction.';
comment on column risk.corrections.line_number is 'Line of the row in its file.';
comment on column risk.corrections.account_id is 'Account as the source names it.';
comment on column risk.corrections.session_date is 'Session of the correction; the fill may be of an earlier one.';
comment on column risk.corrections.executed_at is 'Time that the row states: of several corrections the latest holds.';
comment on column risk.corrections.tie_rank is
'Place among the delivery''s corrections of the same id and instant, from 0, by line.';
comment on column risk.corrections.kind is
'canceled: the fill never counts. corrected: side, quantity, symbol, price and fees of this row count instead.';
comment on column risk.corrections.fill_key is 'Key of the corrected fill, see applied_corrections.';
comment on column risk.corrections.order_id is 'Order of the corrected fill; null where the source does not say it.';
comment on column risk.corrections.side is 'As in fills.';
comment on column risk.corrections.quantity is 'As in fills.';
comment on column risk.corrections.symbol is 'Symbol as the source writes it, upper case.';
comment on column risk.corrections.price is 'As in fills.';
comment on column risk.corrections.currency is 'As in fills.';
comment on column risk.corrections.fees_usd is 'As in fills.';
