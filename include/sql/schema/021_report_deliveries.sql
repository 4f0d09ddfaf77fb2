-- The mails of a report: written before the first attempt, marked sent after the server took it.
-- Grain: one row per run and recipient. Reads: -. Writes: report_deliveries. Binds: -. Money: -. Rerun: applied once.
create table report_deliveries (
    run_id bigint not null references runs (run_id),
    recipient text not null,
    message_id text not null unique,
    attempt_count integer not null default 0,
    last_error text,
    sent_at timestamptz,
    primary key (run_id, recipient)
);
