-- Lists the rejected rows of the source's executions that a session lacks, as known at an instant.
-- Grain: one row per rejected row. Reads: fill_rejects, loads, source_files, current_deliveries. Writes: -. Binds: -.
-- Money: -. Rerun: applied once.
-- A row of a delivery counts while the delivery does. A row that names no account-session counts while the file that
-- holds it lies unchanged in the source that of_load looked at: with its session if it tells one, else with the session
-- whose load met it first.
create function current_rejects(of_session date, as_of timestamptz, of_load bigint)
returns table (
    load_id bigint,
    file_name text,
    line_number bigint,
    delivery_id bigint,
    reason text
)
language sql
stable
parallel safe
as $$
    with unplaced as (
        select
            fill_rejects.load_id,
            fill_rejects.file_name,
            fill_rejects.line_number,
            fill_rejects.delivery_id,
            fill_rejects.reason,
            min(coalesce(fill_rejects.session_date, loads.through_session_date)) over (
                partition by
                    fill_rejects.file_name,
                    fill_rejects.line_number,
                    fill_rejects.raw_text,
                    fill_rejects.reason
            ) as counted_session
        from fill_rejects
        inner join loads on fill_rejects.load_id = loads.load_id
        where
            fill_rejects.delivery_id is null
            and fill_rejects.file_name like 'fills%'
    )

    select
        fill_rejects.load_id,
        fill_rejects.file_name,
        fill_rejects.line_number,
        fill_rejects.delivery_id,
        fill_rejects.reason
    from fill_rejects
    inner join current_deliveries(current_rejects.as_of) as current_ones
        on fill_rejects.delivery_id = current_ones.delivery_id
    where current_ones.session_date = current_rejects.of_session
    union all
    select
        unplaced.load_id,
        unplaced.file_name,
        unplaced.line_number,
        unplaced.delivery_id,
        unplaced.reason
    from unplaced
    inner join source_files as met
        on
            unplaced.load_id = met.load_id
            and unplaced.file_name = met.file_name
    inner join source_files as present
        on
            met.file_name = present.file_name
            and met.content_sha256 = present.content_sha256
    where
        present.load_id = current_rejects.of_load
        and unplaced.counted_session = current_rejects.of_session
$$;
