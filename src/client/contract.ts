// Written by `npm run client:contract` from the router. Callers rely on it: what would break them raises its version.
import type { Json, Mutation, Query } from "#client/procedure.ts";

/** Raised whenever an earlier caller would stumble. */
export const contractVersion = 1;

/** What the gateway says of an error; `data.appCode` is `error.code` of REST. */
export type SluiceErrorShape = {
  code:
    | -32001
    | -32002
    | -32003
    | -32004
    | -32005
    | -32008
    | -32009
    | -32012
    | -32013
    | -32015
    | -32022
    | -32028
    | -32029
    | -32099
    | -32600
    | -32603
    | -32700;
  data: {
    /** As `error.code` of REST; null where the input does not fit its schema. */
    appCode:
      | "bad_request"
      | "conflict"
      | "forbidden"
      | "internal"
      | "method_not_allowed"
      | "not_found"
      | "rate_limited"
      | "too_large"
      | "unauthorized"
      | "unavailable"
      | "unprocessable"
      | null;
    code:
      | "BAD_GATEWAY"
      | "BAD_REQUEST"
      | "CLIENT_CLOSED_REQUEST"
      | "CONFLICT"
      | "FORBIDDEN"
      | "GATEWAY_TIMEOUT"
      | "INTERNAL_SERVER_ERROR"
      | "METHOD_NOT_SUPPORTED"
      | "NOT_FOUND"
      | "NOT_IMPLEMENTED"
      | "PARSE_ERROR"
      | "PAYLOAD_TOO_LARGE"
      | "PAYMENT_REQUIRED"
      | "PRECONDITION_FAILED"
      | "PRECONDITION_REQUIRED"
      | "SERVICE_UNAVAILABLE"
      | "TIMEOUT"
      | "TOO_MANY_REQUESTS"
      | "UNAUTHORIZED"
      | "UNPROCESSABLE_CONTENT"
      | "UNSUPPORTED_MEDIA_TYPE";
    httpStatus: number;
    issues:
      | {
          message: string;
          path: string;
        }[]
      | null;
    /** The field at fault. */
    param: string | null;
    path: string | null;
    requestId: string | null;
  };
  message: string;
};

/** Every procedure by router and name. */
export type Procedures = {
  account: {
    me: Query<
      void,
      {
        alias: string | null;
        email: string | null;
        role: "internal_user" | "internal_user_viewer" | "proxy_admin" | "proxy_admin_viewer" | "unknown";
        userId: string | null;
      }
    >;
    sessions: Query<
      void,
      {
        createdAt: string;
        id: string;
        isThis: boolean;
        lastSeenAt: string;
        /** The browser's own name; null where it gave none. */
        userAgent: string | null;
      }[]
    >;
    endSession: Mutation<
      {
        id: string;
      },
      {
        id: string;
      }
    >;
    changePassword: Mutation<
      {
        current: string;
        next: string;
      },
      {
        userId: string;
      }
    >;
    acceptInvitation: Mutation<
      {
        password: string;
        secret: string;
      },
      {
        email: string;
      }
    >;
  };
  audit: {
    ofTeam: Query<
      {
        action?:
          | "add_callback"
          | "add_members"
          | "backfill_deliveries"
          | "block"
          | "create"
          | "delete"
          | "delete_callback"
          | "delete_member"
          | "disable_logging"
          | "discard_deliveries"
          | "regenerate"
          | "replay_deliveries"
          | "reset_spend"
          | "unblock"
          | "update"
          | "update_callback"
          | "update_member"
          | undefined;
        page?: number | undefined;
        teamId: string;
      },
      {
        changes: {
          action: string;
          actor: string;
          /** An address or a name; null for who is gone. */
          actor_name: string | null;
          after?: unknown;
          at: string;
          before?: unknown;
          /** Whom the `litellm-changed-by` header named; null: nobody. */
          changed_by: string | null;
          id: string;
          object_id: string;
          /** An address or an alias; null for what is gone or has none. */
          object_name: string | null;
          object_type: string;
        }[];
        pages: number;
        total: number;
      }
    >;
    all: Query<
      {
        action?:
          | "add_callback"
          | "add_members"
          | "backfill_deliveries"
          | "block"
          | "create"
          | "delete"
          | "delete_callback"
          | "delete_member"
          | "disable_logging"
          | "discard_deliveries"
          | "regenerate"
          | "replay_deliveries"
          | "reset_spend"
          | "unblock"
          | "update"
          | "update_callback"
          | "update_member"
          | undefined;
        objectType?: "delivery" | "key" | "team" | "user" | undefined;
        page?: number | undefined;
      },
      {
        changes: {
          action: string;
          actor: string;
          /** An address or a name; null for who is gone. */
          actor_name: string | null;
          after?: unknown;
          at: string;
          before?: unknown;
          /** Whom the `litellm-changed-by` header named; null: nobody. */
          changed_by: string | null;
          id: string;
          object_id: string;
          /** An address or an alias; null for what is gone or has none. */
          object_name: string | null;
          object_type: string;
        }[];
        pages: number;
        total: number;
      }
    >;
  };
  callbacks: {
    list: Query<
      {
        teamId: string;
      },
      {
        callback_id: string;
        callback_name: string;
        callback_type: string | null;
        callback_vars: {
          [name: string]: Json;
        };
        /** Grows with every change; a write that names an older one is refused. */
        version: number;
      }[]
    >;
    get: Query<
      {
        callbackId: string;
        teamId: string;
      },
      {
        callback_id: string;
        callback_name: string;
        callback_type: string | null;
        callback_vars: {
          [name: string]: Json;
        };
        /** Grows with every change; a write that names an older one is refused. */
        version: number;
      }
    >;
    add: Mutation<
      {
        callback_name: string;
        callback_type?: "failure" | "success" | "success_and_failure" | undefined;
        callback_vars: {
          [name: string]: Json;
        };
        teamId: string;
      },
      {
        callback_id: string | null;
      }
    >;
    update: Mutation<
      {
        callbackId: string;
        callback_type?: "failure" | "success" | "success_and_failure" | undefined;
        callback_vars: {
          [name: string]: Json;
        };
        teamId: string;
        version: number;
      },
      {
        callback_id: string;
        callback_name: string;
        callback_type: string | null;
        callback_vars: {
          [name: string]: Json;
        };
        /** Grows with every change; a write that names an older one is refused. */
        version: number;
      }
    >;
    remove: Mutation<
      {
        callbackId: string;
        teamId: string;
      },
      {
        callback_id: string;
      }
    >;
    /** Asks the destination of what is not saved yet. */
    test: Mutation<
      {
        callbackId?: string | null | undefined;
        callback_name: string;
        callback_vars: {
          [name: string]: Json;
        };
        teamId: string;
      },
      {
        callback_id: string;
        callback_name: string;
        latency_ms: number;
        message: string;
        state: "healthy" | "unhealthy" | "unverified";
        target: string | null;
      }
    >;
    /** Asks the destination of what is saved. */
    check: Mutation<
      {
        callbackId: string;
        teamId: string;
      },
      {
        callback_id: string;
        callback_name: string;
        latency_ms: number;
        message: string;
        state: "healthy" | "unhealthy" | "unverified";
        target: string | null;
      }
    >;
  };
  deliveries: {
    /** How many deliveries of each of the team's destinations are in which state. */
    counts: Query<
      {
        teamId: string;
      },
      {
        callback_id: string;
        dead: number;
        delivered: number;
        pending: number;
        suppressed: number;
      }[]
    >;
    /** How the newest 500 went over time, of the whole team or of one destination. */
    chart: Query<
      {
        callbackId?: string | null | undefined;
        teamId: string;
      },
      {
        /** How long a bar lasts. */
        barMs: number;
        /** From the oldest of them until now; empty without deliveries. */
        bars: {
          dead: number;
          delivered: number;
          from: string;
          pending: number;
          suppressed: number;
        }[];
        /** How many deliveries this is made of, and whether these are all that the gateway keeps. */
        counted: number;
        isAll: boolean;
        /** The median time from the call to the delivery; null where none was delivered. */
        lag_ms: number | null;
        last_delivered_at: string | null;
      }
    >;
    /** What became of one call, by record id or call id. */
    find: Query<
      {
        id: string;
        teamId: string;
      },
      {
        deliveries: {
          call_id: string;
          callback_id: string;
          callback_name: string | null;
          created_at: string;
          due_at: string | null;
          message: string | null;
          record_id: string;
          settled_at: string | null;
          state: "dead" | "delivered" | "queued" | "retrying" | "suppressed";
          status: number | null;
          tries: number;
        }[];
        id: string;
      }
    >;
    /** The newest first, a page at a time. */
    list: Query<
      {
        callback_id?: string | undefined;
        cursor?: string | undefined;
        error_class?:
          | "destination_failed"
          | "no_answer"
          | "not_found"
          | "rate_limited"
          | "refused_credentials"
          | "refused_record"
          | "too_large"
          | undefined;
        from?: string | undefined;
        state?: "dead" | "delivered" | "pending" | "suppressed" | undefined;
        teamId: string;
      },
      {
        deliveries: {
          call_id: string;
          callback_id: string;
          callback_name: string | null;
          created_at: string;
          due_at: string | null;
          message: string | null;
          record_id: string;
          settled_at: string | null;
          state: "dead" | "delivered" | "queued" | "retrying" | "suppressed";
          status: number | null;
          team_id: string | null;
          tries: number;
        }[];
        next_cursor: string | null;
      }
    >;
    /** Sends dead letters again, with the ids that they always had. */
    replay: Mutation<
      {
        callback_id?: string | undefined;
        error_class?:
          | "destination_failed"
          | "no_answer"
          | "not_found"
          | "rate_limited"
          | "refused_credentials"
          | "refused_record"
          | "too_large"
          | undefined;
        from?: string | undefined;
        record_ids?: string[] | undefined;
        teamId: string;
      },
      {
        count: number;
      }
    >;
    /** Gives dead letters up for good, with their content. */
    discard: Mutation<
      {
        callback_id?: string | undefined;
        error_class?:
          | "destination_failed"
          | "no_answer"
          | "not_found"
          | "rate_limited"
          | "refused_credentials"
          | "refused_record"
          | "too_large"
          | undefined;
        from?: string | undefined;
        record_ids?: string[] | undefined;
        teamId: string;
      },
      {
        count: number;
      }
    >;
    /** For how many hours logs are kept to be sent elsewhere, and how many a destination never had, as far as counted. */
    retained: Query<
      {
        callback_id: string;
        hours: number;
        teamId: string;
      },
      {
        count: number;
        hours_max: number;
        is_more: boolean;
      }
    >;
    /** Sends a destination the kept logs that it never had, a part of them at a time. */
    backfill: Mutation<
      {
        callback_id: string;
        cursor?: string | undefined;
        hours: number;
        teamId: string;
      },
      {
        count: number;
        from: string;
        next_cursor: string | null;
        skipped: number;
      }
    >;
  };
  destinations: {
    list: Query<
      void,
      {
        /** Environment variables that a pasted `.env` block may have, and the variable that each fills. */
        env: {
          [name: string]: string;
        };
        label: string;
        name: string;
        /** The JSON Schema of `callback_vars`. */
        schema: Json;
        vars: {
          /** The variable that this one is another name of; null: it is none. Forms show it only where it is set. */
          aliasOf: string | null;
          choices: string[];
          defaultValue: string | null;
          description: string | null;
          isSecret: boolean;
          /** True where it names where records go: a change clears the stored secrets. */
          isTarget: boolean;
          name: string;
          title: string;
          type: "boolean" | "choice" | "number" | "text";
        }[];
      }[]
    >;
  };
  keys: {
    list: Query<
      {
        page?: number | undefined;
        search?: string | undefined;
        teamId: string;
      },
      {
        keys: {
          agent_id?: Json;
          aliases: {
            [name: string]: Json;
          };
          allowed_cache_controls: Json;
          allowed_routes: string[];
          auto_rotate?: Json;
          blocked: boolean | null;
          budget_duration: string | null;
          budget_id: Json;
          budget_reset_at: string | null;
          config: Json;
          created_at: string;
          created_by: string | null;
          enforced_params?: Json;
          expires: string | null;
          guardrails?: Json;
          key_alias: string | null;
          key_name: string;
          last_active: string | null;
          litellm_budget_table: null;
          max_budget: number | null;
          max_parallel_requests: number | null;
          metadata: {
            [name: string]: Json;
          };
          model_max_budget: Json;
          model_rpm_limit?: Json;
          model_spend: {
            [name: string]: Json;
          };
          model_tpm_limit?: Json;
          models: string[];
          object_permission: Json;
          organization_id: string | null;
          permissions: Json;
          project_id?: Json;
          redaction: "content" | "metadata_only" | "off" | null;
          rotation_interval?: Json;
          rpm_limit: number | null;
          soft_budget: number | null;
          spend: number;
          team_id: string | null;
          token: string;
          tpm_limit: number | null;
          updated_at: string;
          updated_by: string | null;
          user_id: string | null;
        }[];
        pages: number;
        total: number;
      }
    >;
    /** Those that end within a week, the next first. */
    expiring: Query<
      {
        teamId: string;
      },
      {
        expires: string;
        name: string;
        token: string;
      }[]
    >;
    get: Query<
      {
        key: string;
      },
      {
        agent_id?: Json;
        aliases: {
          [name: string]: Json;
        };
        allowed_cache_controls: Json;
        allowed_routes: string[];
        auto_rotate?: Json;
        blocked: boolean | null;
        budget_duration: string | null;
        budget_id: Json;
        budget_reset_at: string | null;
        config: Json;
        created_at: string;
        created_by: string | null;
        enforced_params?: Json;
        expires: string | null;
        guardrails?: Json;
        key_alias: string | null;
        key_name: string;
        last_active: string | null;
        litellm_budget_table: null;
        max_budget: number | null;
        max_parallel_requests: number | null;
        metadata: {
          [name: string]: Json;
        };
        model_max_budget: Json;
        model_rpm_limit?: Json;
        model_spend: {
          [name: string]: Json;
        };
        model_tpm_limit?: Json;
        models: string[];
        object_permission: Json;
        organization_id: string | null;
        permissions: Json;
        project_id?: Json;
        redaction: "content" | "metadata_only" | "off" | null;
        rotation_interval?: Json;
        rpm_limit: number | null;
        soft_budget: number | null;
        spend: number;
        team_id: string | null;
        tpm_limit: number | null;
        updated_at: string;
        updated_by: string | null;
        user_id: string | null;
      }
    >;
    /** The answer carries the key in clear, this once. */
    generate: Mutation<
      {
        fields: {
          agent_id?: Json;
          aliases?:
            | {
                [name: string]: string;
              }
            | null
            | undefined;
          allowed_cache_controls?: Json;
          allowed_routes?: string[] | null | undefined;
          auto_rotate?: Json;
          blocked?: boolean | null | undefined;
          budget_duration?: string | null | undefined;
          budget_id?: Json;
          config?: Json;
          duration?: string | null | undefined;
          enforced_params?: Json;
          guardrails?: Json;
          key?: string | null | undefined;
          key_alias?: string | null | undefined;
          key_type?: "default" | "llm_api" | "management" | "read_only" | null | undefined;
          max_budget?: number | string | null | undefined;
          max_parallel_requests?: number | string | null | undefined;
          metadata?:
            | {
                [name: string]: Json;
              }
            | null
            | undefined;
          model_max_budget?:
            | {
                [name: string]: {
                  budget_duration?: string | null | undefined;
                  budget_limit?: number | string | undefined;
                  max_budget?: number | string | undefined;
                  time_period?: string | null | undefined;
                  [name: string]: unknown;
                };
              }
            | null
            | undefined;
          model_rpm_limit?: Json;
          model_tpm_limit?: Json;
          models?: string[] | null | undefined;
          object_permission?: Json;
          organization_id?: string | null | undefined;
          permissions?: Json;
          project_id?: Json;
          redaction?: "content" | "metadata_only" | "off" | null | undefined;
          rotation_interval?: Json;
          rpm_limit?: number | string | null | undefined;
          send_invite_email?: Json;
          soft_budget?: number | string | null | undefined;
          tags?: string[] | null | undefined;
          team_id?: string | null | undefined;
          tpm_limit?: number | string | null | undefined;
          user_id?: string | null | undefined;
          [name: string]: unknown;
        };
        isServiceAccount?: boolean | undefined;
      },
      {
        agent_id?: Json;
        aliases: {
          [name: string]: Json;
        };
        allowed_cache_controls: Json;
        allowed_routes: string[];
        auto_rotate?: Json;
        blocked: boolean | null;
        budget_duration: string | null;
        budget_id: Json;
        budget_reset_at: string | null;
        config: Json;
        created_at: string;
        created_by: string | null;
        enforced_params?: Json;
        expires: string | null;
        guardrails?: Json;
        key: string;
        key_alias: string | null;
        key_name: string;
        last_active: string | null;
        litellm_budget_table: null;
        max_budget: number | null;
        max_parallel_requests: number | null;
        metadata: {
          [name: string]: Json;
        };
        model_max_budget: Json;
        model_rpm_limit?: Json;
        model_spend: {
          [name: string]: Json;
        };
        model_tpm_limit?: Json;
        models: string[];
        object_permission: Json;
        organization_id: string | null;
        permissions: Json;
        project_id?: Json;
        redaction: "content" | "metadata_only" | "off" | null;
        rotation_interval?: Json;
        rpm_limit: number | null;
        soft_budget: number | null;
        spend: number;
        team_id: string | null;
        token: string;
        token_id: string;
        tpm_limit: number | null;
        updated_at: string;
        updated_by: string | null;
        user_id: string | null;
      }
    >;
    update: Mutation<
      {
        changes: {
          agent_id?: Json;
          aliases?:
            | {
                [name: string]: string;
              }
            | null
            | undefined;
          allowed_cache_controls?: Json;
          allowed_routes?: string[] | null | undefined;
          auto_rotate?: Json;
          blocked?: boolean | null | undefined;
          budget_duration?: string | null | undefined;
          budget_id?: Json;
          config?: Json;
          duration?: string | null | undefined;
          enforced_params?: Json;
          guardrails?: Json;
          key_alias?: string | null | undefined;
          key_type?: "default" | "llm_api" | "management" | "read_only" | null | undefined;
          max_budget?: number | string | null | undefined;
          max_parallel_requests?: number | string | null | undefined;
          metadata?:
            | {
                [name: string]: Json;
              }
            | null
            | undefined;
          model_max_budget?:
            | {
                [name: string]: {
                  budget_duration?: string | null | undefined;
                  budget_limit?: number | string | undefined;
                  max_budget?: number | string | undefined;
                  time_period?: string | null | undefined;
                  [name: string]: unknown;
                };
              }
            | null
            | undefined;
          model_rpm_limit?: Json;
          model_tpm_limit?: Json;
          models?: string[] | null | undefined;
          object_permission?: Json;
          organization_id?: string | null | undefined;
          permissions?: Json;
          project_id?: Json;
          redaction?: "content" | "metadata_only" | "off" | null | undefined;
          rotation_interval?: Json;
          rpm_limit?: number | string | null | undefined;
          send_invite_email?: Json;
          soft_budget?: number | string | null | undefined;
          tags?: string[] | null | undefined;
          team_id?: string | null | undefined;
          tpm_limit?: number | string | null | undefined;
          user_id?: string | null | undefined;
          [name: string]: unknown;
        };
        key: string;
      },
      {
        agent_id?: Json;
        aliases: {
          [name: string]: Json;
        };
        allowed_cache_controls: Json;
        allowed_routes: string[];
        auto_rotate?: Json;
        blocked: boolean | null;
        budget_duration: string | null;
        budget_id: Json;
        budget_reset_at: string | null;
        config: Json;
        created_at: string;
        created_by: string | null;
        enforced_params?: Json;
        expires: string | null;
        guardrails?: Json;
        key: string;
        key_alias: string | null;
        key_name: string;
        last_active: string | null;
        litellm_budget_table: null;
        max_budget: number | null;
        max_parallel_requests: number | null;
        metadata: {
          [name: string]: Json;
        };
        model_max_budget: Json;
        model_rpm_limit?: Json;
        model_spend: {
          [name: string]: Json;
        };
        model_tpm_limit?: Json;
        models: string[];
        object_permission: Json;
        organization_id: string | null;
        permissions: Json;
        project_id?: Json;
        redaction: "content" | "metadata_only" | "off" | null;
        rotation_interval?: Json;
        rpm_limit: number | null;
        soft_budget: number | null;
        spend: number;
        team_id: string | null;
        token: string;
        tpm_limit: number | null;
        updated_at: string;
        updated_by: string | null;
        user_id: string | null;
      }
    >;
    /** The answer carries the new key in clear, this once. */
    regenerate: Mutation<
      {
        grace_period?: string | null | undefined;
        key: string;
      },
      {
        agent_id?: Json;
        aliases: {
          [name: string]: Json;
        };
        allowed_cache_controls: Json;
        allowed_routes: string[];
        auto_rotate?: Json;
        blocked: boolean | null;
        budget_duration: string | null;
        budget_id: Json;
        budget_reset_at: string | null;
        config: Json;
        created_at: string;
        created_by: string | null;
        enforced_params?: Json;
        expires: string | null;
        guardrails?: Json;
        key: string;
        key_alias: string | null;
        key_name: string;
        last_active: string | null;
        litellm_budget_table: null;
        max_budget: number | null;
        max_parallel_requests: number | null;
        metadata: {
          [name: string]: Json;
        };
        model_max_budget: Json;
        model_rpm_limit?: Json;
        model_spend: {
          [name: string]: Json;
        };
        model_tpm_limit?: Json;
        models: string[];
        object_permission: Json;
        organization_id: string | null;
        permissions: Json;
        project_id?: Json;
        redaction: "content" | "metadata_only" | "off" | null;
        rotation_interval?: Json;
        rpm_limit: number | null;
        soft_budget: number | null;
        spend: number;
        team_id: string | null;
        token: string;
        token_id: string;
        tpm_limit: number | null;
        updated_at: string;
        updated_by: string | null;
        user_id: string | null;
      }
    >;
    block: Mutation<
      {
        blocked: boolean;
        key: string;
      },
      {
        agent_id?: Json;
        aliases: {
          [name: string]: Json;
        };
        allowed_cache_controls: Json;
        allowed_routes: string[];
        auto_rotate?: Json;
        blocked: boolean | null;
        budget_duration: string | null;
        budget_id: Json;
        budget_reset_at: string | null;
        config: Json;
        created_at: string;
        created_by: string | null;
        enforced_params?: Json;
        expires: string | null;
        guardrails?: Json;
        key_alias: string | null;
        key_name: string;
        last_active: string | null;
        litellm_budget_table: null;
        max_budget: number | null;
        max_parallel_requests: number | null;
        metadata: {
          [name: string]: Json;
        };
        model_max_budget: Json;
        model_rpm_limit?: Json;
        model_spend: {
          [name: string]: Json;
        };
        model_tpm_limit?: Json;
        models: string[];
        object_permission: Json;
        organization_id: string | null;
        permissions: Json;
        project_id?: Json;
        redaction: "content" | "metadata_only" | "off" | null;
        rotation_interval?: Json;
        rpm_limit: number | null;
        soft_budget: number | null;
        spend: number;
        team_id: string | null;
        token: string;
        tpm_limit: number | null;
        updated_at: string;
        updated_by: string | null;
        user_id: string | null;
      }
    >;
    delete: Mutation<
      {
        key: string;
      },
      {
        deleted: string[];
      }
    >;
    logging: Query<
      {
        key: string;
      },
      {
        callbacks: {
          callback_id: string;
          callback_name: string;
          enabled: boolean;
          fires_on: "failure" | "success" | "success_and_failure";
          reason: string | null;
          redact_classes: (
            | "audio"
            | "embedding_input"
            | "error_text"
            | "file_names"
            | "headers"
            | "images"
            | "logprobs"
            | "messages"
            | "reasoning"
            | "refusals"
            | "system_prompt"
            | "tags"
            | "tool_arguments"
            | "tool_results"
            | "tool_schemas"
            | "url_parameters"
            | "user_metadata"
          )[];
          redaction: "content" | "metadata_only" | "off";
          redaction_decided_by: "callback" | "default_team_settings" | "enforce_redaction" | "global" | "key" | "team";
          rules: {
            keepsFailures: boolean;
            keys: string[];
            models: string[];
            samplingRate: number;
            statuses: ("failure" | "success")[];
          } | null;
          target: {
            [name: string]: string;
          } | null;
        }[];
        decided_by: "default_team_settings" | "global" | "key" | "key_disabled" | "team" | "team_disabled";
        must_log: boolean;
        reason: string | null;
      }
    >;
    /** Asks each destination that the key's calls go to, now. */
    check: Mutation<
      {
        key: string;
      },
      {
        decided_by: "default_team_settings" | "global" | "key" | "key_disabled" | "team" | "team_disabled";
        destinations: {
          callback_id: string;
          callback_name: string;
          latency_ms: number;
          message: string;
          state: "healthy" | "unhealthy" | "unverified";
          target: string | null;
        }[];
        reason: string | null;
      }
    >;
  };
  members: {
    list: Query<
      {
        teamId: string;
      },
      {
        role: string;
        user_email: string | null;
        user_id: string | null;
      }[]
    >;
    /** Answers the secret of the link by which a new person sets his password, this once; null for who has one. */
    add: Mutation<
      {
        role: "admin" | "user";
        teamId: string;
        user_email: string;
      },
      {
        expiresAt: string;
        secret: string;
      } | null
    >;
    update: Mutation<
      {
        role: "admin" | "user";
        teamId: string;
        user_id: string;
      },
      {
        max_budget_in_team: number | null;
        role: string;
        rpm_limit: number | null;
        team_id: string;
        tpm_limit: number | null;
        user_email: string | null;
        user_id: string;
      }
    >;
    remove: Mutation<
      {
        teamId: string;
        user_id: string;
      },
      {
        user_id: string;
      }
    >;
  };
  policy: {
    get: Query<
      {
        teamId: string;
      },
      {
        callbacks: number;
        contentClasses: {
          audio: "Audio, sent or made, and its transcript.";
          embedding_input: "What was embedded, and the vectors.";
          error_text: "Error texts, which may quote the prompt; code and class stay.";
          file_names: "Files in messages: names, ids and contents.";
          headers: "What is copied from the client's headers and connection: user agent and address.";
          images: "Images, sent or made, and their addresses.";
          logprobs: "Log probabilities, which spell the answer out.";
          messages: "Texts of the conversation and of the answer, and request parameters that are text.";
          reasoning: "Reasoning and thinking of the model.";
          refusals: "The words with which the model refused.";
          system_prompt: "Messages of the roles system and developer.";
          tags: "Tags of requests, keys and teams.";
          tool_arguments: "What the model passes to tools; names and ids stay.";
          tool_results: "What tools answered.";
          tool_schemas: "Descriptions and parameters of tools, and the response format; kinds and names stay.";
          url_parameters: "Queries and fragments of addresses.";
          user_metadata: "Values of the client's metadata; ids and names of traces, sessions and generations stay.";
        };
        effective: {
          callbacks: {
            callback_id: string;
            callback_name: string;
            enabled: boolean;
            fires_on: "failure" | "success" | "success_and_failure";
            reason: string | null;
            redact_classes: (
              | "audio"
              | "embedding_input"
              | "error_text"
              | "file_names"
              | "headers"
              | "images"
              | "logprobs"
              | "messages"
              | "reasoning"
              | "refusals"
              | "system_prompt"
              | "tags"
              | "tool_arguments"
              | "tool_results"
              | "tool_schemas"
              | "url_parameters"
              | "user_metadata"
            )[];
            redaction: "content" | "metadata_only" | "off";
            redaction_decided_by:
              "callback" | "default_team_settings" | "enforce_redaction" | "global" | "key" | "team";
            rules: {
              keepsFailures: boolean;
              keys: string[];
              models: string[];
              samplingRate: number;
              statuses: ("failure" | "success")[];
            } | null;
            target: {
              [name: string]: string;
            } | null;
          }[];
          decided_by: "default_team_settings" | "global" | "key" | "key_disabled" | "team" | "team_disabled";
          must_log: boolean;
          reason: string | null;
        };
        redaction: "content" | "metadata_only" | "off" | null;
      }
    >;
    /** Null: the team says nothing, and the gateway's own level holds. */
    setRedaction: Mutation<
      {
        redaction: "content" | "metadata_only" | "off" | null;
        teamId: string;
      },
      {
        redaction: "content" | "metadata_only" | "off" | null;
      }
    >;
    disable: Mutation<
      {
        teamId: string;
      },
      {
        team_id: string;
      }
    >;
    /** What each destination would get for a call of the team. Nothing is sent. */
    preview: Query<
      {
        answer: string;
        prompt: string;
        teamId: string;
      },
      {
        callbacks: {
          callback_id: string;
          callback_name: string;
          fires: boolean;
          fires_on: "failure" | "success" | "success_and_failure";
          reason: string | null;
          record: {
            /** The upstream's base URL without query; null where none was chosen. */
            apiBase: string | null;
            /** The attempts that failed before the last one, in order; absent where there was one alone. */
            attempts?:
              | {
                  apiBase: string | null;
                  endTimeMs: number;
                  error: {
                    /** LiteLLM's class name, for example `AuthenticationError`. */
                    class: string;
                    /** The HTTP status or the code of the error, as text. */
                    code: string;
                    message: string;
                  };
                  model: string;
                  modelGroup: string;
                  modelId: string;
                  provider: string;
                  startTimeMs: number;
                }[]
              | undefined;
            cacheHit: boolean | null;
            /** The `x-litellm-call-id` of the answer. The client may choose it, so it is an attribute, no identity. */
            callId: string;
            /** True where the client chose `callId`. */
            callIdIsClients?: boolean | undefined;
            /** LiteLLM's name of the operation: `acompletion`, `atext_completion`, `aembedding`, … */
            callType: string;
            caller: {
              keyAlias: string | null;
              keyHash: string | null;
              organizationId: string | null;
              teamAlias: string | null;
              teamId: string | null;
              userEmail: string | null;
              userId: string | null;
            };
            /** True where the client left before the answer was complete; `output` is then what had arrived. */
            clientDisconnected: boolean;
            /** First streamed chunk; equals `endTimeMs` where the call was not streamed. */
            completionStartTimeMs: number;
            endTimeMs: number;
            /** The end user of the client's application (body field `user`). */
            endUser: string | null;
            error: {
              /** LiteLLM's class name, for example `AuthenticationError`. */
              class: string;
              /** The HTTP status or the code of the error, as text. */
              code: string;
              message: string;
            } | null;
            input: {
              functions?: Json;
              /** Chat messages, or the prompt of other call types wrapped as one user message. */
              messages: Json;
              tools?: Json;
            };
            /** What the key had spent when it was read for this call, and what it may; redaction of content takes it away. */
            keyBudget?:
              | {
                  maxBudgetUsd: number | null;
                  spendUsd: number;
                }
              | undefined;
            /** The model name sent upstream, or what the client asked for where none was chosen. */
            model: string;
            /** The public name the client asked for. */
            modelGroup: string | null;
            /** The id of the chosen deployment. */
            modelId: string | null;
            /** Allow-listed request parameters (temperature, max_tokens, …); no messages, tools or secrets. */
            modelParameters: {
              [name: string]: Json;
            };
            /** `openai`, `anthropic`, …; null where the call failed before a deployment was chosen. */
            provider: string | null;
            /** UUIDv7, made at the start of the call. Everything that a destination calls an id derives from it. */
            recordId: string;
            requestTags: string[];
            requesterIpAddress: string | null;
            /** The client's own `metadata` with the `langfuse_*` headers merged over it, cleaned of reserved names. */
            requesterMetadata: {
              [name: string]: Json;
            };
            /** The upstream's answer (a stream: re-assembled in the same shape). On failure what came of it, null if nothing did. */
            response: {
              [name: string]: Json;
            } | null;
            /** USD; 0 if the upstream did nothing or no price is known. */
            responseCostUsd: number;
            /** The `id` of the upstream's answer, if there was one. */
            responseId: string | null;
            /** The path that was called, for example `/v1/chat/completions`. */
            route: string;
            startTimeMs: number;
            status: "failure" | "success";
            stream: boolean;
            usage: {
              cacheReadTokens: number;
              cacheWriteTokens: number;
              /** All output tokens, reasoning included. */
              completionTokens: number;
              /** Parts of the input and the output that are sound or pictures; absent where the upstream names none. */
              inputAudioTokens?: number | undefined;
              inputImageTokens?: number | undefined;
              /** True if the upstream's own counts are missing or cover a part only. Destinations call it `usage_estimated`. */
              isEstimated?: true | undefined;
              outputAudioTokens?: number | undefined;
              outputImageTokens?: number | undefined;
              /** All input tokens, the cached ones included. */
              promptTokens: number;
              reasoningTokens: number;
              totalTokens: number;
            };
            userAgent: string | null;
          } | null;
          redact_classes: (
            | "audio"
            | "embedding_input"
            | "error_text"
            | "file_names"
            | "headers"
            | "images"
            | "logprobs"
            | "messages"
            | "reasoning"
            | "refusals"
            | "system_prompt"
            | "tags"
            | "tool_arguments"
            | "tool_results"
            | "tool_schemas"
            | "url_parameters"
            | "user_metadata"
          )[];
          redaction: "content" | "metadata_only" | "off";
          redaction_decided_by:
            "callback" | "default_team_settings" | "enforce_redaction" | "global" | "key" | "request" | "team";
          request: {
            body: string;
            body_base64?: string | undefined;
            headers: {
              [name: string]: string;
            };
            method: string;
            note?: string | undefined;
            url: string;
          } | null;
        }[];
        decided_by:
          | "default_team_settings"
          | "global"
          | "key"
          | "key_disabled"
          | "request_credentials"
          | "team"
          | "team_disabled";
        reason: string | null;
        status: "failure" | "success";
      }
    >;
  };
  settings: {
    get: Query<
      void,
      {
        groups: {
          settings: {
            name: string;
            title: string;
            value: boolean | number | string | string[];
          }[];
          title: string;
        }[];
        models: {
          name: string;
          upstream: string;
        }[];
        version: string;
      }
    >;
  };
  teams: {
    /** The first ones by name; `page` has all of them, page by page. */
    list: Query<
      | void
      | {
          limit?: number | undefined;
          search?: string | undefined;
        }
      | undefined,
      {
        blocked: boolean;
        callbacks: number;
        keys: number;
        logging_state: "disabled" | "own" | "unset";
        members: number;
        /** What the actor's user is in it; null for none of it. */
        role: "admin" | "user" | null;
        team_alias: string | null;
        team_id: string;
      }[]
    >;
    page: Query<
      | void
      | {
          page?: number | undefined;
          search?: string | undefined;
        }
      | undefined,
      {
        pages: number;
        teams: {
          blocked: boolean;
          callbacks: number;
          keys: number;
          logging_state: "disabled" | "own" | "unset";
          members: number;
          /** What the actor's user is in it; null for none of it. */
          role: "admin" | "user" | null;
          team_alias: string | null;
          team_id: string;
        }[];
        total: number;
      }
    >;
    get: Query<
      {
        teamId: string;
      },
      {
        admins: string[];
        blocked: boolean;
        budget_duration: string | null;
        budget_reset_at: string | null;
        created_at: string;
        guardrails?: Json;
        litellm_model_table: {
          model_aliases: {
            [name: string]: Json;
          };
        } | null;
        max_budget: number | null;
        max_parallel_requests: number | null;
        mayManage: boolean;
        members: string[];
        members_with_roles: {
          role: string;
          user_email: string | null;
          user_id: string | null;
        }[];
        metadata: {
          [name: string]: Json;
        };
        model_aliases: {
          [name: string]: Json;
        };
        model_id: null;
        model_max_budget: Json;
        model_rpm_limit?: Json;
        model_spend: {
          [name: string]: Json;
        };
        model_tpm_limit?: Json;
        models: string[];
        must_log: boolean;
        object_permission: Json;
        object_permission_id: string | null;
        organization_id: string | null;
        redaction: "content" | "metadata_only" | "off" | null;
        rpm_limit: number | null;
        soft_budget: number | null;
        spend: number;
        team_alias: string | null;
        team_id: string;
        team_member_budget?: Json;
        team_member_budget_duration?: Json;
        team_member_permissions: Json;
        tpm_limit: number | null;
        updated_at: string;
      }
    >;
    create: Mutation<
      {
        blocked?: boolean | null | undefined;
        budget_duration?: string | null | undefined;
        guardrails?: Json;
        max_budget?: number | string | null | undefined;
        max_parallel_requests?: number | string | null | undefined;
        members_with_roles?:
          | {
              role: "admin" | "user";
              user_email?: string | null | undefined;
              user_id?: string | null | undefined;
            }[]
          | null
          | undefined;
        metadata?:
          | {
              [name: string]: Json;
            }
          | null
          | undefined;
        model_aliases?:
          | {
              [name: string]: string;
            }
          | null
          | undefined;
        model_max_budget?:
          | {
              [name: string]: {
                budget_duration?: string | null | undefined;
                budget_limit?: number | string | undefined;
                max_budget?: number | string | undefined;
                time_period?: string | null | undefined;
                [name: string]: unknown;
              };
            }
          | null
          | undefined;
        model_rpm_limit?: Json;
        model_tpm_limit?: Json;
        models?: string[] | null | undefined;
        /** Ours: opting out has no effect on this team's calls. For proxy administrators. */
        must_log?: boolean | null | undefined;
        object_permission?: Json;
        organization_id?: string | null | undefined;
        redaction?: "content" | "metadata_only" | "off" | null | undefined;
        rpm_limit?: number | string | null | undefined;
        soft_budget?: number | string | null | undefined;
        tags?: string[] | null | undefined;
        team_alias?: string | null | undefined;
        team_id?: string | null | undefined;
        team_member_budget?: number | string | null | undefined;
        team_member_budget_duration?: string | null | undefined;
        team_member_permissions?: Json;
        tpm_limit?: number | string | null | undefined;
        [name: string]: unknown;
      },
      {
        admins: string[];
        blocked: boolean;
        budget_duration: string | null;
        budget_reset_at: string | null;
        created_at: string;
        guardrails?: Json;
        litellm_model_table: {
          model_aliases: {
            [name: string]: Json;
          };
        } | null;
        max_budget: number | null;
        max_parallel_requests: number | null;
        members: string[];
        members_with_roles: {
          role: string;
          user_email: string | null;
          user_id: string | null;
        }[];
        metadata: {
          [name: string]: Json;
        };
        model_aliases: {
          [name: string]: Json;
        };
        model_id: null;
        model_max_budget: Json;
        model_rpm_limit?: Json;
        model_spend: {
          [name: string]: Json;
        };
        model_tpm_limit?: Json;
        models: string[];
        must_log: boolean;
        object_permission: Json;
        object_permission_id: string | null;
        organization_id: string | null;
        redaction: "content" | "metadata_only" | "off" | null;
        rpm_limit: number | null;
        soft_budget: number | null;
        spend: number;
        team_alias: string | null;
        team_id: string;
        team_member_budget?: Json;
        team_member_budget_duration?: Json;
        team_member_permissions: Json;
        tpm_limit: number | null;
        updated_at: string;
      }
    >;
    update: Mutation<
      {
        changes: {
          blocked?: boolean | null | undefined;
          budget_duration?: string | null | undefined;
          guardrails?: Json;
          max_budget?: number | string | null | undefined;
          max_parallel_requests?: number | string | null | undefined;
          metadata?:
            | {
                [name: string]: Json;
              }
            | null
            | undefined;
          model_aliases?:
            | {
                [name: string]: string;
              }
            | null
            | undefined;
          model_max_budget?:
            | {
                [name: string]: {
                  budget_duration?: string | null | undefined;
                  budget_limit?: number | string | undefined;
                  max_budget?: number | string | undefined;
                  time_period?: string | null | undefined;
                  [name: string]: unknown;
                };
              }
            | null
            | undefined;
          model_rpm_limit?: Json;
          model_tpm_limit?: Json;
          models?: string[] | null | undefined;
          /** Ours: opting out has no effect on this team's calls. For proxy administrators. */
          must_log?: boolean | null | undefined;
          object_permission?: Json;
          organization_id?: string | null | undefined;
          redaction?: "content" | "metadata_only" | "off" | null | undefined;
          rpm_limit?: number | string | null | undefined;
          soft_budget?: number | string | null | undefined;
          tags?: string[] | null | undefined;
          team_alias?: string | null | undefined;
          team_member_budget?: number | string | null | undefined;
          team_member_budget_duration?: string | null | undefined;
          team_member_permissions?: Json;
          tpm_limit?: number | string | null | undefined;
          [name: string]: unknown;
        };
        teamId: string;
      },
      {
        admins: string[];
        blocked: boolean;
        budget_duration: string | null;
        budget_reset_at: string | null;
        created_at: string;
        guardrails?: Json;
        litellm_model_table: {
          model_aliases: {
            [name: string]: Json;
          };
        } | null;
        max_budget: number | null;
        max_parallel_requests: number | null;
        members: string[];
        members_with_roles: {
          role: string;
          user_email: string | null;
          user_id: string | null;
        }[];
        metadata: {
          [name: string]: Json;
        };
        model_aliases: {
          [name: string]: Json;
        };
        model_id: null;
        model_max_budget: Json;
        model_rpm_limit?: Json;
        model_spend: {
          [name: string]: Json;
        };
        model_tpm_limit?: Json;
        models: string[];
        must_log: boolean;
        object_permission: Json;
        object_permission_id: string | null;
        organization_id: string | null;
        redaction: "content" | "metadata_only" | "off" | null;
        rpm_limit: number | null;
        soft_budget: number | null;
        spend: number;
        team_alias: string | null;
        team_id: string;
        team_member_budget?: Json;
        team_member_budget_duration?: Json;
        team_member_permissions: Json;
        tpm_limit: number | null;
        updated_at: string;
      }
    >;
    delete: Mutation<
      {
        teamId: string;
      },
      {
        deleted: string[];
      }
    >;
  };
  usage: {
    ofTeam: Query<
      {
        days?: number | undefined;
        teamId: string;
      },
      {
        /** Every day, also those without a call. */
        days: {
          calls: number;
          completion_tokens: number;
          day: string;
          failures: number;
          prompt_tokens: number;
          usd: number;
        }[];
        /** The first and the last of the days. */
        from: string;
        /** By the hash that the key has now. At most 50. */
        keys: {
          calls: number;
          completion_tokens: number;
          failures: number;
          name: string | null;
          prompt_tokens: number;
          token: string;
          usd: number;
        }[];
        /** `model` is empty for calls that reached no model. At most 50. */
        models: {
          calls: number;
          completion_tokens: number;
          failures: number;
          model: string;
          prompt_tokens: number;
          usd: number;
        }[];
        /** At most 50; `team_id` is empty for keys of no team. */
        teams: {
          calls: number;
          completion_tokens: number;
          failures: number;
          prompt_tokens: number;
          team_alias: string | null;
          team_id: string;
          usd: number;
        }[];
        to: string;
        total: {
          calls: number;
          completion_tokens: number;
          failures: number;
          prompt_tokens: number;
          usd: number;
        };
      }
    >;
    all: Query<
      {
        days?: number | undefined;
      },
      {
        /** Every day, also those without a call. */
        days: {
          calls: number;
          completion_tokens: number;
          day: string;
          failures: number;
          prompt_tokens: number;
          usd: number;
        }[];
        /** The first and the last of the days. */
        from: string;
        /** By the hash that the key has now. At most 50. */
        keys: {
          calls: number;
          completion_tokens: number;
          failures: number;
          name: string | null;
          prompt_tokens: number;
          token: string;
          usd: number;
        }[];
        /** `model` is empty for calls that reached no model. At most 50. */
        models: {
          calls: number;
          completion_tokens: number;
          failures: number;
          model: string;
          prompt_tokens: number;
          usd: number;
        }[];
        /** At most 50; `team_id` is empty for keys of no team. */
        teams: {
          calls: number;
          completion_tokens: number;
          failures: number;
          prompt_tokens: number;
          team_alias: string | null;
          team_id: string;
          usd: number;
        }[];
        to: string;
        total: {
          calls: number;
          completion_tokens: number;
          failures: number;
          prompt_tokens: number;
          usd: number;
        };
      }
    >;
  };
  users: {
    list: Query<
      {
        page?: number | undefined;
        search?: string | undefined;
      },
      {
        page: number;
        page_size: number;
        total: number;
        total_pages: number;
        users: {
          allowed_cache_controls?: Json;
          budget_duration: string | null;
          budget_reset_at: string | null;
          created_at: string;
          guardrails?: Json;
          max_budget: number | null;
          max_parallel_requests: number | null;
          metadata: {
            [name: string]: Json;
          };
          model_max_budget: Json;
          model_rpm_limit?: Json;
          model_spend: {
            [name: string]: Json;
          };
          model_tpm_limit?: Json;
          models: string[];
          object_permission: Json;
          organization_id: Json;
          rpm_limit: number | null;
          soft_budget: number | null;
          spend: number;
          sso_user_id: Json;
          teams: string[];
          tpm_limit: number | null;
          updated_at: string;
          user_alias: string | null;
          user_email: string | null;
          user_id: string;
          user_role: string;
        }[];
      }
    >;
    /** Makes a user and the secret of the link by which he sets his password; it is shown this once. */
    invite: Mutation<
      {
        email: string;
        role: "internal_user" | "internal_user_viewer" | "proxy_admin" | "proxy_admin_viewer";
      },
      {
        expiresAt: string;
        secret: string;
      }
    >;
    /** A new link for a user; the password that he has stays until he sets another one. */
    inviteAgain: Mutation<
      {
        userId: string;
      },
      {
        expiresAt: string;
        secret: string;
      }
    >;
    setRole: Mutation<
      {
        role: "internal_user" | "internal_user_viewer" | "proxy_admin" | "proxy_admin_viewer";
        userId: string;
      },
      {
        data: {
          allowed_cache_controls?: Json;
          budget_duration: string | null;
          budget_reset_at: string | null;
          created_at: string;
          guardrails?: Json;
          max_budget: number | null;
          max_parallel_requests: number | null;
          metadata: {
            [name: string]: Json;
          };
          model_max_budget: Json;
          model_rpm_limit?: Json;
          model_spend: {
            [name: string]: Json;
          };
          model_tpm_limit?: Json;
          models: string[];
          object_permission: Json;
          organization_id: Json;
          rpm_limit: number | null;
          soft_budget: number | null;
          spend: number;
          sso_user_id: Json;
          teams: string[];
          tpm_limit: number | null;
          updated_at: string;
          user_alias: string | null;
          user_email: string | null;
          user_id: string;
          user_role: string;
        };
        user_id: string;
      }
    >;
    delete: Mutation<
      {
        userId: string;
      },
      {
        deleted: number;
      }
    >;
  };
};
