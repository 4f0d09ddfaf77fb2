-- Stores one part of a run's rendered report.
-- Grain: one row per run and part. Writes: report_parts.
-- Rerun: changes nothing; the parts of the first rendering stay.
insert into risk.report_parts (
    run_id,
    part_name,
    media_type,
    content,
    content_sha256
)
values (
    %(run_id)s,
    %(part_name)s,
    %(media_type)s,
    %(content)s,
    %(content_sha256)s
)
on conflict (run_id, part_name) do nothing;
