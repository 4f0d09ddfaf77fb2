-- Moves executions of an earlier day into the session that their file delivers by the manifest.
-- Grain: one row per record. Reads: staged_entries, staged_fills, staged_names, staged_moments, checked_fills.
-- Writes: checked_fills. Binds: -. Money: -. Rerun: changes nothing.
-- The vendor lists the opening execution of an overnight position in the file of the session that closed it. Only
-- beside executions of the entry's own session: a file with nothing else than earlier ones contradicts its entry.
with strays as (
    select distinct
        checked_fills.file_number,
        checked_fills.account_id,
        checked_fills.session_date
    from checked_fills
    left join staged_entries
        on
            checked_fills.file_number = staged_entries.file_number
            and checked_fills.account_id = staged_entries.account_id
            and checked_fills.session_date = staged_entries.session_date
    where
        staged_entries.file_number is null
        and checked_fills.account_id is not null
        and checked_fills.session_date is not null
),

moved as (
    select
        strays.file_number,
        strays.account_id,
        strays.session_date,
        min(staged_entries.session_date) as delivered_session_date
    from strays
    inner join staged_entries
        on
            strays.file_number = staged_entries.file_number
            and strays.account_id = staged_entries.account_id
            and strays.session_date < staged_entries.session_date
    where
        exists (
            select
            from staged_fills
            inner join staged_names on staged_fills.account = staged_names.account
            inner join staged_moments on staged_fills.date_time = staged_moments.date_time
            where
                staged_fills.file_number = staged_entries.file_number
                and staged_names.account_id = staged_entries.account_id
                and staged_moments.session_date = staged_entries.session_date
        )
    group by
        strays.file_number,
        strays.account_id,
        strays.session_date
)

update checked_fills set
    session_date = moved.delivered_session_date
from moved
where
    checked_fills.file_number = moved.file_number
    and checked_fills.account_id = moved.account_id
    and checked_fills.session_date = moved.session_date;
