-- Reads which roles of the database may add, change or delete what decides about limits.
-- Grain: one row per role and table. Reads: information_schema. Owners and superusers may do everything.
select
    grants.grantee,
    grants.table_name,
    string_agg(distinct lower(grants.privilege_type), ', ' order by lower(grants.privilege_type)) as privileges
from information_schema.role_table_grants as grants
where
    grants.table_schema = 'risk'
    and grants.table_name in (
        'limit_change_decisions',
        'limit_changes',
        'limit_decisions',
        'platform_limits',
        'policies',
        'policy_request_decisions',
        'policy_requests',
        'published_limits'
    )
    and grants.privilege_type in ('INSERT', 'UPDATE', 'DELETE', 'TRUNCATE')
group by
    grants.grantee,
    grants.table_name
order by
    grants.grantee asc,
    grants.table_name asc;
