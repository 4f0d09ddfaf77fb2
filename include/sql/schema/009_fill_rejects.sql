-- Rows that could not become fills, with the raw text and the reason: nothing a source says is lost.
-- Grain: one row per load, file and line. Reads: -. Writes: fill_rejects. Binds: -. Money: -. Rerun: applied once.
-- Append only.
-- delivery_id, account_id and session_date are null where the row does not tell them.
create table fill_rejects (
    load_id bigint not null references loads (load_id),
    file_name text not null,
    line_number bigint not null,
    delivery_id bigint references deliveries (delivery_id),
    account_id text,
    session_date date,
    raw_text text not null,
    reason text not null,
    primary key (load_id, file_name, line_number)
);
