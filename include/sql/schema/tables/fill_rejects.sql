create table risk.fill_rejects (
    load_id bigint not null references risk.loads (load_id),
    file_name text not null,
    line_number bigint not null,
    delivery_id bigint references risk.deliveries (delivery_id),
    account_id text,
    session_date date,
    raw_text text not null,
    reason text not null,
    cause text not null,
    is_reference boolean not null default false,
    primary key (load_id, file_name, line_number)
);

comment on table risk.fill_rejects is
'Rows that could not be loaded, with their raw text and the reason, so that nothing a source sends is lost. '
'Grain: one row per load, file and line. Append only.';
comment on column risk.fill_rejects.load_id is 'Load that recorded the row.';
comment on column risk.fill_rejects.file_name is 'File the row comes from.';
comment on column risk.fill_rejects.line_number is 'Line of the row in its file.';
comment on column risk.fill_rejects.delivery_id is
'Delivery the row belongs to; null where the row does not identify one.';
comment on column risk.fill_rejects.account_id is 'Account of the row, where it names one.';
comment on column risk.fill_rejects.session_date is 'Session of the row, where it names one.';
comment on column risk.fill_rejects.raw_text is 'The row as the source sent it.';
comment on column risk.fill_rejects.reason is 'What is wrong with the row, as a sentence.';
comment on column risk.fill_rejects.cause is
'What the reason has in common with those of other rows, without their values: rows are counted by it.';
comment on column risk.fill_rejects.is_reference is 'Whether the row is one of a reference file, not of executions.';
