create table risk.report_digests (
    run_id bigint primary key references risk.reports (run_id),
    format_number integer not null,
    report_sha256 text not null check (report_sha256 ~ '^[0-9a-f]{64}$'),
    recorded_at timestamptz not null default clock_timestamp()
);

comment on table risk.report_digests is
'Digests of reports as mails state them: the root of a tree with a salted leaf per account, so that one account can be '
'shown and proven without the others. Apart from reports, so that its link can be shown, too. A report without a row '
'is of format 1, and its digest is the SHA-256 of its facts. Grain: one row per run. Append only.';
comment on column risk.report_digests.run_id is 'Run the row belongs to.';
comment on column risk.report_digests.format_number is 'How the digest is computed; 2 = see risk.report.digest_tree.';
comment on column risk.report_digests.report_sha256 is 'Root of the tree: the identity of the report.';
comment on column risk.report_digests.recorded_at is 'When the row was recorded (committed).';
