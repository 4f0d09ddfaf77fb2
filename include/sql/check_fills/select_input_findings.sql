-- Checks what came beside the executions: the vendor's responses, reference files, adjustments and corrections.
-- Grain: one row per check and subject: session, row of a file, account or correction; often none.
-- Reads: vendor_answers, fill_rejects, source_files, booked_adjustments, deliveries, accounts, corrections,
-- current_deliveries, fills, sessions.
-- Binds: session_date, as_of, load_id, window_sessions (older corrections are not checked). Money: positive = credit.
-- A session without any complete response has no books, so limits cannot rest on it; one with an earlier complete
-- response keeps those books, and only its latest restatement is unknown.
-- A rejected row is stored by the load that first met it: it counts while its file is unchanged in the source and still
-- has rejected rows (what another file contradicted is right once that one is fixed).
-- An account is known once something was delivered for it or the roster names it.
with responses as (
    select
        vendor_answers.session_date,
        vendor_answers.page_count,
        vendor_answers.finding,
        (
            select max(earlier.asked_at)
            from risk.vendor_answers as earlier
            where
                earlier.session_date = vendor_answers.session_date
                and earlier.load_id < vendor_answers.load_id
                and earlier.finding is null
        ) as completed_at
    from risk.vendor_answers
    where
        vendor_answers.load_id = %(load_id)s
        and vendor_answers.session_date <= %(session_date)s
),

waiting as (
    select
        known.account_id,
        corrections.session_date,
        corrections.line_number,
        corrections.kind,
        corrections.fill_key,
        corrections.order_id,
        known.file_name,
        exists(
            select
            from risk.correction_targets(%(as_of)s) as targets
            where
                targets.correcting_delivery_id = corrections.delivery_id
                and targets.correcting_line_number = corrections.line_number
        ) as is_ambiguous
    from risk.corrections
    inner join risk.current_deliveries(%(as_of)s) as known
        on corrections.delivery_id = known.delivery_id
    where
        corrections.session_date <= %(session_date)s
        and corrections.session_date >= (
            select min(recent.session_date)
            from (
                select sessions.session_date
                from risk.sessions
                where sessions.session_date <= %(session_date)s
                order by sessions.session_date desc
                limit %(window_sessions)s
            ) as recent
        )
        and not exists (
            select
            from risk.correction_targets(%(as_of)s) as targets
            where
                targets.correcting_delivery_id = corrections.delivery_id
                and targets.correcting_line_number = corrections.line_number
                and targets.target_count = 1
        )
)

select
    'vendor_response_complete' as check_name,
    responses.session_date::text as subject,
    concat(responses.page_count, ' pages') as observed,
    case
        when responses.finding is not null and responses.completed_at is null
            then
                concat(
                    'The vendor''s response for ', responses.session_date, ' is incomplete: ', responses.finding,
                    '. None of it is loaded and no earlier response was complete, so there are no limits. ',
                    'Contact the vendor, then clear task extract_fills.'
                )
    end as finding
from responses
union all
select
    'vendor_response_fresh' as check_name,
    responses.session_date::text as subject,
    concat(responses.page_count, ' pages') as observed,
    case
        when responses.finding is not null and responses.completed_at is not null
            then
                concat(
                    'The vendor''s response for ', responses.session_date, ' is incomplete: ', responses.finding,
                    '. The books use the last complete response, of ',
                    to_char(responses.completed_at at time zone %(exchange_zone)s, 'YYYY-MM-DD HH24:MI'),
                    ' ', %(exchange_city)s, ', without later restatements.'
                )
    end as finding
from responses
union all
select
    'reference_rows_valid' as check_name,
    concat(fill_rejects.file_name, ' ', min(fill_rejects.line_number)) as subject,
    concat(count(*), case when count(*) = 1 then ' row' else ' rows' end, ' rejected') as observed,
    concat(
        case when count(*) > 1 then concat(count(*), ' rows rejected; first: ') end,
        (array_agg(fill_rejects.reason order by fill_rejects.line_number))[1],
        ' Until then such a row is ignored, and what depends on it stays as before.'
    ) as finding
from risk.fill_rejects
inner join risk.source_files as met
    on
        fill_rejects.load_id = met.load_id
        and fill_rejects.file_name = met.file_name
inner join risk.source_files as present
    on
        met.file_name = present.file_name
        and met.content_sha256 = present.content_sha256
        and present.load_id = %(load_id)s
where
    fill_rejects.is_reference
    and present.rejected_count > 0
group by
    fill_rejects.file_name,
    fill_rejects.cause
union all
select
    'reference_columns_known' as check_name,
    source_files.file_name as subject,
    'unknown column' as observed,
    source_files.reason as finding
from risk.source_files
where
    source_files.load_id = %(load_id)s
    and source_files.state in ('loaded', 'partly loaded')
    and source_files.reason is not null
    and source_files.is_reference
union all
select
    'adjustments_known' as check_name,
    booked.account_id as subject,
    concat(count(*), ' adjustments') as observed,
    concat(
        booked.account_id, ': ', count(*), ' adjustment(s), ',
        replace(to_char(sum(booked.amount_usd), 'FM$999,999,999,990.00'), '$-', '-$'),
        ' in total, for an account without any delivery, first in ', min(booked.file_name), ' line ',
        (array_agg(booked.line_number order by booked.file_name, booked.line_number))[1],
        '. No report includes them until the account is known. Check the name.'
    ) as finding
from risk.booked_adjustments(%(as_of)s) as booked
where
    booked.session_date <= %(session_date)s
    and (booked.session_date = %(session_date)s or booked.load_id = %(load_id)s)
    and not exists (
        select
        from risk.deliveries
        where
            deliveries.account_id = booked.account_id
            and deliveries.recorded_at <= %(as_of)s
    )
    and not exists (
        select
        from risk.accounts
        where
            accounts.account_id = booked.account_id
            and accounts.recorded_at <= %(as_of)s
    )
group by booked.account_id
union all
select
    'corrections_applied' as check_name,
    concat(waiting.account_id, ' ', waiting.session_date, ' line ', waiting.line_number) as subject,
    concat(waiting.kind, ' ', waiting.fill_key) as observed,
    concat(
        waiting.account_id, ': ', waiting.file_name, ' line ', waiting.line_number, ' marks fill id ', waiting.fill_key,
        ' of order ' || waiting.order_id, ' of ', waiting.session_date, ' as ', waiting.kind,
        case
            when waiting.is_ambiguous
                then ', and several fills may be meant. Deliver the row with the Order Id of the fill.'
            else ', and no such fill was received. The correction applies once it is.'
        end
    ) as finding
from waiting;
