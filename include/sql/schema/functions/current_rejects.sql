create function risk.current_rejects(of_session date, as_of timestamptz, of_load bigint)
returns table (
    load_id bigint,
    file_name text,
    line_number bigint,
    delivery_id bigint,
    reason text,
    cause text
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
            fill_rejects.cause,
            min(coalesce(fill_rejects.session_date, loads.through_session_date)) over (
                partition by
                    fill_rejects.file_name,
                    fill_rejects.line_number,
                    fill_rejects.raw_text,
                    fill_rejects.reason
            ) as counted_session
        from risk.fill_rejects
        inner join risk.loads on fill_rejects.load_id = loads.load_id
        where
            fill_rejects.delivery_id is null
            and not fill_rejects.is_reference
    )

    select
        fill_rejects.load_id,
        fill_rejects.file_name,
        fill_rejects.line_number,
        fill_rejects.delivery_id,
        fill_rejects.reason,
        fill_rejects.cause
    from risk.fill_rejects
    inner join risk.current_deliveries(current_rejects.as_of) as current_ones
        on fill_rejects.delivery_id = current_ones.delivery_id
    where current_ones.session_date = current_rejects.of_session
    union all
    select
        unplaced.load_id,
        unplaced.file_name,
        unplaced.line_number,
        unplaced.delivery_id,
        unplaced.reason,
        unplaced.cause
    from unplaced
    inner join risk.source_files as met
        on
            unplaced.load_id = met.load_id
            and unplaced.file_name = met.file_name
    inner join risk.source_files as present
        on
            met.file_name = present.file_name
            and met.content_sha256 = present.content_sha256
    where
        present.load_id = current_rejects.of_load
        and unplaced.counted_session = current_rejects.of_session
$$;

comment on function risk.current_rejects(date, timestamptz, bigint) is
'Rejected rows of executions that a session lacks, as known at an instant. A row of a delivery counts while the '
'delivery does. A row without an account-session counts while its file is unchanged in the source that of_load '
'read: in its session if it names one, else in the session whose load met it first. Grain: one row per rejected '
'row.';
