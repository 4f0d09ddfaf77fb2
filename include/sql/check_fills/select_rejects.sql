-- Compares the session's rejected rows with all its rows.
-- Grain: one row. Reads: current_deliveries, current_rejects. Writes: -. Money: -. Rerun: reads only.
-- Binds: session_date, as_of, load_id, reject_ratio.
with delivered as (
    select coalesce(sum(current_ones.row_count), 0) as row_count
    from current_deliveries(%(as_of)s) as current_ones
    where current_ones.session_date = %(session_date)s
),

rejected as (
    select
        count(*) as rejected_count,
        count(*) filter (where known.delivery_id is null) as unplaced_count,
        (array_agg(known.reason order by known.file_name, known.line_number, known.load_id))[1] as first_reason
    from current_rejects(%(session_date)s, %(as_of)s, %(load_id)s) as known
),

summed as (
    select
        delivered.row_count + rejected.unplaced_count as row_count,
        rejected.rejected_count,
        rejected.first_reason
    from delivered
    cross join rejected
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
                    trim_scale(100.0 * %(reject_ratio)s), ' may be). The first: ', summed.first_reason
                )
    end as finding
from summed;
