-- What the vendor's API answered for each session a load asked it for, whole or not.
-- Grain: one row per load and session. Reads: -. Writes: vendor_answers. Binds: -. Money: -. Rerun: applied once.
-- Append only.
-- finding: why an answer is incomplete; nothing of it is loaded then, and page_count and row_count are what came.
create table vendor_answers (
    load_id bigint not null references loads (load_id),
    session_date date not null references sessions (session_date),
    asked_at timestamptz not null,
    page_count integer not null,
    row_count bigint not null,
    finding text,
    primary key (load_id, session_date)
);
