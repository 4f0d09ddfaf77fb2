-- Lists what files of statements said when they were read last: whoever reads the same bytes again learns no more.
-- Grain: one row per file name that was read. Reads: source_files, loads, fill_rejects. Writes: -. Money: -.
-- Binds: file_names (array). Rerun: reads only.
-- rejected_lines: of these bytes, since a line of others under the name is another line.
-- through_session_date: the last day of which these bytes have been heard, since others were read under the name.
with reads as (
    select
        source_files.load_id,
        source_files.file_name,
        source_files.content_sha256,
        source_files.rejected_count,
        loads.through_session_date,
        first_value(source_files.content_sha256) over latest_first as newest_sha256,
        row_number() over latest_first as read_number
    from risk.source_files
    inner join risk.loads on source_files.load_id = loads.load_id
    where
        source_files.file_name = any(%(file_names)s)
        and source_files.state in ('loaded', 'partly loaded')
    window latest_first as (partition by source_files.file_name order by source_files.load_id desc)
),

others as (
    select
        reads.file_name,
        max(reads.load_id) as load_id
    from reads
    where reads.content_sha256 <> reads.newest_sha256
    group by reads.file_name
),

newest as (
    select
        reads.file_name,
        reads.newest_sha256,
        max(reads.through_session_date) as through_session_date,
        max(reads.rejected_count) filter (where reads.read_number = 1) as rejected_count
    from reads
    left join others on reads.file_name = others.file_name
    where reads.load_id > coalesce(others.load_id, 0)
    group by reads.file_name, reads.newest_sha256
)

select
    newest.file_name,
    newest.newest_sha256 as content_sha256,
    newest.through_session_date,
    coalesce(
        array_agg(fill_rejects.line_number) filter (where newest.rejected_count > 0),
        '{}'
    ) as rejected_lines
from newest
left join risk.source_files as met
    on
        newest.file_name = met.file_name
        and newest.newest_sha256 = met.content_sha256
left join risk.fill_rejects
    on
        met.load_id = fill_rejects.load_id
        and met.file_name = fill_rejects.file_name
group by newest.file_name, newest.newest_sha256, newest.through_session_date
order by newest.file_name;
