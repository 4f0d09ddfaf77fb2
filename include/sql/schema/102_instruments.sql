-- What somebody stated about an instrument from a day on.
-- Grain: one row per statement. Reads: -. Writes: instruments. Binds: -. Money: -. Rerun: applied once. Append only.
-- The current statement for a day as of an instant: among those with recorded_at <= as_of and valid_from <= day the
-- greatest (valid_from, instrument_id) that says something. null: nothing is said.
create table instruments (
    instrument_id bigint generated always as identity primary key,
    load_id bigint not null references loads (load_id),
    file_name text not null,
    line_number bigint not null,
    valid_from date not null,
    symbol text not null,
    multiplier numeric(18, 8) check (multiplier > 0),
    currency text,
    recorded_at timestamptz not null,
    check (multiplier is not null or currency is not null)
);
