-- Types every staged record up to the load's last session, or says by codes what is wrong with it.
-- Grain: one row per record. Reads: staged_fills, staged_moments, staged_names, staged_symbols.
-- Writes: checked_fills. Rerun: gone with its transaction.
-- Binds: through_session_date, canceled_statuses, corrected_statuses (arrays, upper case).
-- Money: price in currency (null = the source does not say it); fees_usd the sum of all fee columns, positive = cost:
-- no source says another currency of them, so they are taken as US dollars, which the vendor's accounts are kept in.
-- correction_kind: null = an execution. A correction says by its id which execution it means.
-- NaN and Infinity are numbers to numeric, but not below the limit.
-- "offset 0" keeps the planner from computing a column once for every place that uses it.
create unlogged table staging.checked_fills as
with joined as (
    select
        staged_fills.file_number,
        staged_fills.line_number,
        staged_fills.date_time,
        staged_fills.account,
        staged_fills.side,
        staged_fills.quantity,
        staged_fills.symbol,
        staged_fills.price,
        staged_fills.order_id,
        staged_fills.fill_id,
        staged_fills.status,
        staged_fills.currency,
        staged_fills.propreports_id,
        staged_fills.numbers,
        staged_names.account_id,
        staged_names.code as account_code,
        staged_moments.session_date,
        staged_moments.executed_at,
        staged_moments.is_time_unknown,
        staged_moments.code as moment_code,
        staged_symbols.symbol as symbol_id,
        staged_symbols.code as symbol_code,
        coalesce(staged_fills.propreports_id, staged_fills.fill_id) as fill_key,
        case
            when staged_fills.status is null or btrim(staged_fills.status) = '' then 'live'
            when upper(btrim(staged_fills.status) collate "C") = any(%(canceled_statuses)s::text[]) then 'canceled'
            when upper(btrim(staged_fills.status) collate "C") = any(%(corrected_statuses)s::text[]) then 'corrected'
        end as status_kind,
        coalesce(staged_fills.fee_comm, 0)
        + coalesce(staged_fills.fee_ecn, 0)
        + coalesce(staged_fills.fee_sec, 0)
        + coalesce(staged_fills.fee_orf, 0)
        + coalesce(staged_fills.fee_taf, 0)
        + coalesce(staged_fills.fee_ftt, 0)
        + coalesce(staged_fills.fee_nfa, 0)
        + coalesce(staged_fills.fee_cat, 0)
        + coalesce(staged_fills.fee_nscc, 0)
        + coalesce(staged_fills.fee_acc, 0)
        + coalesce(staged_fills.fee_clr, 0)
        + coalesce(staged_fills.fee_misc, 0) as fees_usd
    from staged_fills
    left join staged_names on staged_fills.account = staged_names.account
    left join staged_moments on staged_fills.date_time = staged_moments.date_time
    left join staged_symbols on staged_fills.symbol = staged_symbols.text
    where staged_moments.session_date is null or staged_moments.session_date <= %(through_session_date)s
    offset 0 -- noqa: AM09
),

judged as (
    select
        joined.*,
        joined.numbers is null and joined.quantity is not null and joined.price is not null as are_numbers,
        coalesce(
            joined.numbers is null
            and joined.quantity > 0
            and joined.quantity < 10000000000
            and (scale(joined.quantity) <= 8 or scale(trim_scale(joined.quantity)) <= 8)
            and joined.price > 0
            and joined.price < 10000000000
            and (scale(joined.price) <= 8 or scale(trim_scale(joined.price)) <= 8)
            and joined.fees_usd > -10000000000
            and joined.fees_usd < 10000000000
            and (scale(joined.fees_usd) <= 8 or scale(trim_scale(joined.fees_usd)) <= 8)
            and joined.account_id is not null
            and joined.account_code is null
            and joined.executed_at is not null
            and joined.moment_code is null
            and joined.symbol_id is not null
            and joined.symbol_code is null
            and joined.side in ('B', 'S', 'T', 'C')
            and joined.status_kind is not null
            and (joined.status_kind = 'live' or joined.fill_key is not null)
            and (joined.currency is null or joined.currency = 'USD' or joined.currency ~ '^[A-Z]{3}$'),
            false
        ) as is_good
    from joined
    offset 0 -- noqa: AM09
)

select
    judged.file_number,
    judged.line_number,
    judged.account_id,
    judged.session_date,
    judged.executed_at,
    judged.is_time_unknown,
    judged.side,
    judged.quantity,
    judged.symbol_id as symbol,
    judged.price,
    judged.currency,
    judged.fees_usd,
    judged.order_id,
    judged.fill_key,
    nullif(judged.status_kind, 'live') as correction_kind,
    case
        when not judged.is_good
            then
                concat_ws(
                    ' ',
                    case when judged.date_time is null then 'date_form' else judged.moment_code end,
                    case when judged.account is null then 'account_name' else judged.account_code end,
                    case when judged.side is null or judged.side not in ('B', 'S', 'T', 'C') then 'side' end,
                    case when judged.symbol is null then 'symbol' else judged.symbol_code end,
                    case when not judged.are_numbers then 'numbers' end,
                    case
                        when
                            judged.are_numbers
                            and (
                                judged.quantity <= 0
                                or judged.quantity >= 10000000000
                                or scale(trim_scale(judged.quantity)) > 8
                            )
                            then 'quantity'
                    end,
                    case
                        when
                            judged.are_numbers
                            and (
                                judged.price <= 0
                                or judged.price >= 10000000000
                                or scale(trim_scale(judged.price)) > 8
                            )
                            then 'price'
                    end,
                    case
                        when
                            judged.are_numbers
                            and (
                                judged.fees_usd <= -10000000000
                                or judged.fees_usd >= 10000000000
                                or scale(trim_scale(judged.fees_usd)) > 8
                            )
                            then 'fees'
                    end,
                    case when judged.status_kind is null then 'status' end,
                    case when judged.status_kind <> 'live' and judged.fill_key is null then 'correction_id' end,
                    case when judged.currency !~ '^[A-Z]{3}$' then 'currency' end
                )
    end as codes,
    case
        when judged.is_good
            then
                hash_record_extended(
                    row(
                        judged.executed_at, judged.side, judged.quantity, judged.symbol_id, judged.price,
                        judged.currency, judged.fees_usd, judged.order_id, judged.propreports_id, judged.fill_id
                    ),
                    case judged.status_kind when 'canceled' then 2 when 'corrected' then 3 else 0 end
                )
        else
            hash_record_extended(
                row(
                    judged.date_time, judged.side, judged.quantity, judged.symbol, judged.price, judged.fees_usd,
                    judged.numbers, judged.status, judged.currency, judged.order_id, judged.propreports_id,
                    judged.fill_id
                ),
                1
            )
    end as content_hash
from judged;
