create table risk.report_parts (
    run_id bigint not null references risk.runs (run_id),
    part_name text not null,
    media_type text not null,
    content bytea not null,
    content_sha256 text not null,
    recorded_at timestamptz not null default clock_timestamp(),
    primary key (run_id, part_name)
);

comment on table risk.report_parts is
'Rendered report of a run: mail, page, tables and charts; files on disk are copies. Grain: one row per run and '
'part. Append only.';
comment on column risk.report_parts.run_id is 'Run the row belongs to.';
comment on column risk.report_parts.part_name is
'File name of the part, such as report.html, mail.eml, limits.csv or a chart''s name.';
comment on column risk.report_parts.media_type is 'Media type of the bytes, such as text/html or image/png.';
comment on column risk.report_parts.content is 'Bytes of the part.';
comment on column risk.report_parts.content_sha256 is 'SHA-256 of the bytes.';
comment on column risk.report_parts.recorded_at is 'When the row was recorded (committed).';
