-- Reads notes, newest first.
-- Grain: one row per note. Reads: notes, renamed_accounts.
-- Binds: account_id, session_date (null = all), first_date, last_date (the exchange's days on which it was recorded;
-- null = no bound), row_count.
-- A note under a former name is the present one's. corrected_by: the newest note that corrects this one.
with named as (
    select
        notes.note_id,
        coalesce(renamed.account_id, notes.account_id) as account_id,
        notes.session_date,
        notes.sentence,
        notes.corrects,
        notes.user_id,
        notes.user_name,
        notes.recorded_at,
        (notes.recorded_at at time zone %(exchange_zone)s)::date as recorded_date
    from risk.notes
    left join risk.renamed_accounts('infinity') as renamed
        on
            notes.account_id = renamed.former_account_id
            and coalesce(notes.session_date, (notes.recorded_at at time zone %(exchange_zone)s)::date)
            >= renamed.starts_at
            and coalesce(notes.session_date, (notes.recorded_at at time zone %(exchange_zone)s)::date)
            < renamed.ends_before
)

select
    named.note_id,
    named.account_id,
    named.session_date,
    named.sentence,
    named.corrects,
    named.user_id,
    named.user_name,
    named.recorded_at,
    (
        select max(later.note_id)
        from risk.notes as later
        where later.corrects = named.note_id
    ) as corrected_by
from named
where
    (%(account_id)s::text is null or named.account_id = %(account_id)s)
    and (%(session_date)s::date is null or named.session_date = %(session_date)s)
    and (%(first_date)s::date is null or named.recorded_date >= %(first_date)s)
    and (%(last_date)s::date is null or named.recorded_date <= %(last_date)s)
order by named.note_id desc
limit %(row_count)s;
