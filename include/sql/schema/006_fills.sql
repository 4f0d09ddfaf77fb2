-- Executions, typed and valid, as one delivery brought them.
-- Grain: one row per delivery and line. Reads: -. Writes: fills. Binds: -. Rerun: applied once. Append only.
-- Money: price in the instrument's currency, fees_usd positive = cost, negative = rebate.
-- side: B buy, S sell, T short, C cover. fill_key: the vendor's id, else the fill id, unique within an account.
-- No foreign key to deliveries: checking it row by row takes as long as the whole load of a million fills, and the
-- one statement that writes fills joins deliveries.
create table fills (
    delivery_id bigint not null,
    line_number bigint not null,
    account_id text not null,
    session_date date not null,
    executed_at timestamptz not null,
    is_time_unknown boolean not null,
    side text not null check (side in ('B', 'S', 'T', 'C')),
    quantity numeric(18, 8) not null check (quantity > 0),
    symbol text not null,
    price numeric(18, 8) not null check (price > 0),
    currency text not null,
    fees_usd numeric(18, 8) not null,
    order_id text,
    fill_key text
);
