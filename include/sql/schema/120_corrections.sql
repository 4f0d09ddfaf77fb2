-- Cancels, busts and corrections of executions, typed and valid, as one delivery brought them.
-- Grain: one row per delivery and line. Reads: -. Writes: corrections. Binds: -. Rerun: applied once. Append only.
-- Money: price in the instrument's currency, fees_usd positive = cost, negative = rebate.
-- kind: canceled = the fill never counts; corrected = side, quantity, symbol, price and fees of this row count instead.
-- fill_key: the id of the fill that is meant, see settled_corrections.
create table corrections (
    delivery_id bigint not null references deliveries (delivery_id),
    line_number bigint not null,
    account_id text not null,
    session_date date not null,
    kind text not null check (kind in ('canceled', 'corrected')),
    fill_key text not null,
    side text not null check (side in ('B', 'S', 'T', 'C')),
    quantity numeric(18, 8) not null check (quantity > 0),
    symbol text not null,
    price numeric(18, 8) not null check (price > 0),
    currency text,
    fees_usd numeric(18, 8) not null,
    primary key (delivery_id, line_number)
);
