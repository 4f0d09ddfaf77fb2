-- Compares the session's rejected rows with all its rows.
-- Grain: one row. Reads: current_deliveries, fill_rejects, source_files, loads. Writes: -. Money: -. Rerun: reads only.
-- Binds: session_date, as_of, load_id, reject_ratio.
-- Rows of a delivery count with it. A row that names no account-session counts while the file that holds it lies in the
-- source unchanged: with its session if it tells one, else with the session whose load met it first.
with delivered as (
    select
        coalesce(sum(current_ones.row_count), 0) as row_count,
        coalesce(sum(current_ones.rejected_count), 0) as rejected_count
    from current_deliveries(%(as_of)s) as current_ones
    where current_ones.session_date = %(session_date)s
),

unplaced as (
    select count(*) as rejected_count
    from fill_rejects
    inner join loads on fill_rejects.load_id = loads.load_id
    inner join source_files as met
        on
            fill_rejects.load_id = met.load_id
            and fill_rejects.file_name = met.file_name
    inner join source_files as present
        on
            met.file_name = present.file_name
            and met.content_sha256 = present.content_sha256
            and present.load_id = %(load_id)s
    where
        fill_rejects.delivery_id is null
        and coalesce(fill_rejects.session_date, loads.through_session_date) = %(session_date)s
        and fill_rejects.file_name like 'fills%%'
),

summed as (
    select
        delivered.row_count + unplaced.rejected_count as row_count,
        delivered.rejected_count + unplaced.rejected_count as rejected_count
    from delivered
    cross join unplaced
)

select
    '' as subject,
    concat(summed.rejected_count, ' of ', summed.row_count, ' rows rejected') as observed,
    case
        when summed.rejected_count > summed.row_count * %(reject_ratio)s
            then
                concat(
                    summed.rejected_count, ' of ', summed.row_count, ' rows of the session were rejected (',
                    round(100.0 * summed.rejected_count / summed.row_count, 1), ' percent; at most ',
                    trim_scale(100.0 * %(reject_ratio)s), ' may be). Correct them at the source, deliver again.'
                )
    end as finding
from summed;
