-- No unique index and no foreign key to deliveries: either takes about as long as loading a million fills, and the one
-- statement that writes fills joins deliveries. The natural key contains session_date, so that the table can be
-- partitioned by month.
-- A BRIN index, since loads come in the order of sessions: it finds a session as well as a B-tree does, and costs the
-- load nothing where a B-tree costs a third more. A B-tree of the deliveries all the same: without it one late fill
-- reads the fills of all accounts.
create table risk.fills (
    delivery_id bigint not null,
    line_number bigint not null,
    account_id text not null,
    session_date date not null,
    executed_at timestamptz not null,
    is_time_unknown boolean not null,
    tie_rank integer not null,
    side text not null check (side in ('B', 'S', 'T', 'C')),
    quantity numeric(18, 8) not null check (quantity > 0),
    symbol text not null,
    price numeric(18, 8) not null check (price >= 0),
    currency text,
    fees_usd numeric(18, 8) not null,
    fill_key text,
    order_id text,
    route text
);

create index fills_session on risk.fills using brin (session_date) with (pages_per_range = 16, autosummarize = on);
create index fills_delivery on risk.fills (delivery_id);

comment on table risk.fills is
'Executions, typed and valid, as one delivery brought them. Grain: one row per session_date, delivery_id and '
'line_number. Append only.';
comment on column risk.fills.delivery_id is 'Delivery that brought the fill.';
comment on column risk.fills.line_number is 'Line of the row in its file.';
comment on column risk.fills.account_id is 'Account as the source names it; current_fills gives the present name.';
comment on column risk.fills.session_date is 'Session of the execution.';
comment on column risk.fills.executed_at is 'When the order was executed; the session''s close where is_time_unknown.';
comment on column risk.fills.is_time_unknown is 'Whether the source gives no time of day.';
comment on column risk.fills.tie_rank is
'Place among the delivery''s fills of the same instant, from 0: by id, order id and, without an id, line.';
comment on column risk.fills.side is 'B buy, S sell, T sell short, C buy to cover.';
comment on column risk.fills.quantity is 'Shares or contracts, positive.';
comment on column risk.fills.symbol is 'Symbol as the source writes it, upper case.';
comment on column risk.fills.price is 'Price per unit in the currency; 0 = expired, assigned or given.';
comment on column risk.fills.currency is 'ISO code; null = the instrument''s own, see instruments.';
comment on column risk.fills.fees_usd is 'Fees in US dollars, positive = cost, negative = rebate.';
comment on column risk.fills.fill_key is
'The vendor''s id, else the fill id; with order id and symbol unique within an account and session, unless it is the '
'order id. Null where the source gives none.';
comment on column risk.fills.order_id is 'Order the execution belongs to; null where the source does not say it.';
comment on column risk.fills.route is
'Destination of the order, upper case; null where the source does not say it.';
