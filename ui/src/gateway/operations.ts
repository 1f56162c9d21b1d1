// Made by generate/operations.mjs from sdks/; not to be edited.

export type Json = string | number | boolean | null | Json[] | { [name: string]: Json };

export interface Operations {
  'decisions:v2': {
    variables: { token?: string | null; action?: string | null; denied?: boolean | null; request?: string | null; first?: number | null; after?: string | null };
    data: {
      decisions: {
        edges: {
          node: {
            id: string;
            firstAt: string;
            lastAt: string;
            count: number;
            token: string;
            role: string;
            clearance: string;
            purposes: string[];
            scopes: string[];
            compartments: string[];
            action: string;
            labelId: number | null;
            filter: {
              allowed: number;
              of: number;
            } | null;
            version: number;
            allowed: boolean;
            because: string[];
            requests: string[];
          };
        }[];
        pageInfo: {
          hasNextPage: boolean;
          endCursor: string | null;
        };
        damaged: string[];
      };
    };
  };
  'doctor:v1': {
    variables: Record<string, never>;
    data: {
      doctor: {
        name: string;
        ok: boolean;
        detail: string;
        fix: string | null;
      }[];
    };
  };
  'entity:v1': {
    variables: { id: string; asOf?: string | null };
    data: {
      entity: {
        id: string;
        type: string;
        title: string;
        labels: string[];
        status: string;
        attributes: {
          name: string;
          value: Json;
          source: string;
          observedAt: string;
          lsn: number;
          shown: boolean;
        }[];
        receipt: {
          origin: string;
          index: number;
          lsn: number;
        } | null;
      } | null;
    };
  };
  'entity:v2': {
    variables: { id: string; asOf?: string | null };
    data: {
      entity: {
        id: string;
        type: string;
        title: string;
        from: {
          id: string;
          type: string;
          title: string;
        } | null;
        to: {
          id: string;
          type: string;
          title: string;
        } | null;
        labels: string[];
        status: string;
        statements: {
          source: string;
          status: string;
          observedAt: string;
          recordedAt: string;
          lsn: number;
          classification: string;
          licence: string;
          purposes: string[];
          retention: string;
          personal: boolean;
        }[];
        attributes: {
          name: string;
          value: Json;
          source: string;
          observedAt: string;
          lsn: number;
          shown: boolean;
        }[];
        receipt: {
          origin: string;
          index: number;
          lsn: number;
        } | null;
      } | null;
    };
  };
  'entityDelete:v1': {
    variables: { id: string };
    data: {
      entityDelete: {
        lsn: number;
        changed: boolean;
      };
    };
  };
  'entityEmbeddings:v1': {
    variables: { id: string; first?: number | null; after?: string | null };
    data: {
      entityEmbeddings: {
        edges: {
          node: {
            source: string;
            lsn: number;
            licence: string;
            model: string;
            dimension: number;
            supplied: boolean;
            passage: string;
            values: number[];
          };
        }[];
        pageInfo: {
          hasNextPage: boolean;
          endCursor: string | null;
        };
        reason: string | null;
      } | null;
    };
  };
  'entityHistory:v1': {
    variables: { id: string; first?: number | null; after?: string | null };
    data: {
      entityHistory: {
        edges: {
          node: {
            lsn: number;
            recordedAt: string;
            replacedAt: string | null;
            source: string;
            status: string;
            attributes: {
              name: string;
              value: Json;
            }[];
          };
        }[];
        pageInfo: {
          hasNextPage: boolean;
          endCursor: string | null;
        };
      } | null;
    };
  };
  'entityRestore:v1': {
    variables: { id: string };
    data: {
      entityRestore: {
        lsn: number;
        changed: boolean;
      };
    };
  };
  'flagPilots:v1': {
    variables: { name: string };
    data: {
      flagPilots: string[];
    };
  };
  'flagSet:v1': {
    variables: { name: string; value?: string | null };
    data: {
      flagSet: {
        lsn: number;
        changed: boolean;
      };
    };
  };
  'flagStop:v1': {
    variables: { name: string; resume?: boolean | null };
    data: {
      flagStop: {
        lsn: number;
        changed: boolean;
      };
    };
  };
  'flags:v1': {
    variables: Record<string, never>;
    data: {
      flags: {
        name: string;
        value: string | null;
        default: string;
        stopped: boolean;
        inForce: string;
        setBy: string | null;
        setAt: string | null;
      }[];
    };
  };
  'graph:v1': {
    variables: { id: string; asOf?: string | null };
    data: {
      graph: {
        graph: {
          id: string;
          name: string;
          note: string;
          shared: boolean;
          own: boolean;
          version: number;
          madeAt: string;
          savedAt: string;
        };
        drawn: {
          nodes: {
            id: string;
            type: string;
            base: string | null;
            title: string;
            status: string;
            x: number;
            y: number;
            pinned: boolean;
            degree: number;
          }[];
          edges: {
            from: string;
            to: string;
            kind: string;
            relations: number;
            weight: number | null;
          }[] | null;
          truncated: boolean;
        };
      } | null;
    };
  };
  'graphAdd:v1': {
    variables: { ids: string[]; nodes?: string | null; near?: string | null; asOf?: string | null };
    data: {
      graphAdd: {
        nodes: {
          id: string;
          type: string;
          base: string | null;
          title: string;
          status: string;
          x: number;
          y: number;
          pinned: boolean;
          degree: number;
          kinds: {
            kind: string;
            direction: 'OUT' | 'IN' | 'BOTH';
            count: number;
          }[];
        }[];
        edges: {
          from: string;
          to: string;
          kind: string;
          relations: number;
          weight: number | null;
        }[] | null;
        truncated: boolean;
      };
    };
  };
  'graphArrange:v1': {
    variables: { nodes: string; asOf?: string | null };
    data: {
      graphArrange: {
        id: string;
        x: number;
        y: number;
      }[];
    };
  };
  'graphBetween:v1': {
    variables: { from: string; to: string; first?: number | null; asOf?: string | null };
    data: {
      graphBetween: {
        relations: {
          id: string;
          kind: string;
          from: string;
          to: string;
          statements: {
            source: string;
            status: string;
            weight: number | null;
            since: string | null;
            until: string | null;
            recordedAt: string;
            lsn: number;
          }[];
        }[];
        of: number;
        truncated: boolean;
      } | null;
    };
  };
  'graphDelete:v1': {
    variables: { id: string };
    data: {
      graphDelete: {
        lsn: number;
        changed: boolean;
      };
    };
  };
  'graphExpand:v1': {
    variables: { id: string; nodes?: string | null; among?: { kind: string; direction: 'OUT' | 'IN' | 'BOTH' }[] | null; order?: 'STRONGEST' | 'NEWEST' | 'MOST_CONNECTED' | 'LEAST_CONNECTED' | null; first?: number | null; asOf?: string | null };
    data: {
      graphExpand: {
        nodes: {
          id: string;
          type: string;
          base: string | null;
          title: string;
          status: string;
          x: number;
          y: number;
          pinned: boolean;
          degree: number;
          kinds: {
            kind: string;
            direction: 'OUT' | 'IN' | 'BOTH';
            count: number;
          }[];
        }[];
        edges: {
          from: string;
          to: string;
          kind: string;
          relations: number;
          weight: number | null;
        }[] | null;
        of: number;
        rest: number;
        truncated: boolean;
      } | null;
    };
  };
  'graphNeighbours:v1': {
    variables: { id: string; among?: { kind: string; direction: 'OUT' | 'IN' | 'BOTH' }[] | null; order?: 'STRONGEST' | 'NEWEST' | 'MOST_CONNECTED' | 'LEAST_CONNECTED' | null; find?: string | null; first?: number | null; after?: string | null; asOf?: string | null };
    data: {
      graphNeighbours: {
        edges: {
          node: {
            id: string;
            type: string;
            base: string | null;
            title: string;
          };
        }[];
        pageInfo: {
          hasNextPage: boolean;
          endCursor: string | null;
        };
        kinds: {
          kind: string;
          direction: 'OUT' | 'IN' | 'BOTH';
          count: number;
        }[];
        of: number;
        matching: number;
        truncated: boolean;
      } | null;
    };
  };
  'graphSave:v1': {
    variables: { id?: string | null; version?: number | null; name: string; note?: string | null; shared?: boolean | null; nodes: string };
    data: {
      graphSave: {
        id: string;
        name: string;
        note: string;
        shared: boolean;
        own: boolean;
        version: number;
        madeAt: string;
        savedAt: string;
      };
    };
  };
  'graphShow:v1': {
    variables: { nodes: string; asOf?: string | null };
    data: {
      graphShow: {
        nodes: {
          id: string;
          type: string;
          base: string | null;
          title: string;
          status: string;
          x: number;
          y: number;
          pinned: boolean;
          degree: number;
        }[];
        edges: {
          from: string;
          to: string;
          kind: string;
          relations: number;
          weight: number | null;
        }[] | null;
        truncated: boolean;
      };
    };
  };
  'graphs:v1': {
    variables: { first?: number | null; after?: string | null };
    data: {
      graphs: {
        edges: {
          node: {
            id: string;
            name: string;
            note: string;
            shared: boolean;
            own: boolean;
            version: number;
            madeAt: string;
            savedAt: string;
          };
        }[];
        pageInfo: {
          hasNextPage: boolean;
          endCursor: string | null;
        };
      };
    };
  };
  'holdAdd:v1': {
    variables: { entity?: string | null; source?: string | null; wholeTenant?: boolean | null; reason: string };
    data: {
      holdAdd: {
        id: string;
        kind: string;
        name: string | null;
        reason: string;
        setBy: string;
        setAt: string;
      };
    };
  };
  'holdRemove:v1': {
    variables: { id: string };
    data: {
      holdRemove: {
        lsn: number;
        changed: boolean;
      };
    };
  };
  'holds:v1': {
    variables: { first?: number | null; after?: string | null };
    data: {
      holds: {
        edges: {
          node: {
            id: string;
            kind: string;
            name: string | null;
            reason: string;
            setBy: string;
            setAt: string;
          };
        }[];
        pageInfo: {
          hasNextPage: boolean;
          endCursor: string | null;
        };
      };
    };
  };
  'ledgerCheckpoint:v1': {
    variables: Record<string, never>;
    data: {
      ledgerCheckpoint: {
        note: string;
        vkey: string;
        origin: string;
        size: number;
        root: string;
      };
    };
  };
  'ledgerReceipt:v1': {
    variables: { lsn: number };
    data: {
      ledgerReceipt: {
        text: string;
        vkey: string;
        origin: string;
        index: number;
        size: number;
        root: string;
      };
    };
  };
  'node:v1': {
    variables: Record<string, never>;
    data: {
      node: {
        version: string;
        tenant: string;
        role: string;
        clearance: string;
        purpose: string[];
        entities: number | null;
        relations: number | null;
        lsn: number;
        followers: {
          name: string;
          state: string;
          lsn: number;
        }[];
      };
    };
  };
  'paths:v1': {
    variables: { from: string; to: string; depth?: number | null; kind?: string | null };
    data: {
      paths: {
        paths: string[][];
        truncated: boolean;
      } | null;
    };
  };
  'paths:v2': {
    variables: { from: string; to: string; depth?: number | null; kind?: string | null };
    data: {
      paths: {
        paths: string[][];
        things: {
          id: string;
          type: string;
          title: string;
        }[];
        truncated: boolean;
      } | null;
    };
  };
  'policy:v1': {
    variables: { version?: number | null };
    data: {
      policy: {
        version: number;
        text: string;
        setAt: string | null;
        setBy: string | null;
        confirmed: string[];
        problems: {
          policy: string | null;
          line: number;
          message: string;
        }[];
      };
    };
  };
  'policyExplain:v2': {
    variables: { token?: string | null; action?: string | null; thing?: string | null; label?: number | null; purpose?: string | null; decision?: string | null };
    data: {
      policyExplain: {
        principal: string;
        action: string;
        label: string;
        labelId: number | null;
        version: number;
        allowed: boolean;
        summary: string;
        requests: string[];
        reasons: {
          policy: string;
          effect: string;
          applied: boolean;
          line: number;
          text: string;
          found: {
            name: string;
            value: string;
          }[];
        }[];
      }[];
    };
  };
  'policyHistory:v1': {
    variables: { first?: number | null; after?: string | null };
    data: {
      policyHistory: {
        edges: {
          node: {
            version: number;
            setAt: string | null;
            setBy: string | null;
            confirmed: string[];
          };
        }[];
        pageInfo: {
          hasNextPage: boolean;
          endCursor: string | null;
        };
      };
    };
  };
  'policySet:v1': {
    variables: { text: string; replaces: number; confirm?: string[] | null };
    data: {
      policySet: {
        lsn: number;
        changed: boolean;
      };
    };
  };
  'policySimulate:v1': {
    variables: { text: string; token?: string | null; action?: string | null };
    data: {
      policySimulate: {
        gains: {
          principal: string;
          action: string;
          label: string;
          labelId: number | null;
          used: number;
        }[];
        losses: {
          principal: string;
          action: string;
          label: string;
          labelId: number | null;
          used: number;
        }[];
        gainsTotal: number;
        lossesTotal: number;
        compared: number;
        dangers: {
          policy: string | null;
          line: number;
          message: string;
        }[];
        damaged: string[];
      };
    };
  };
  'purge:v1': {
    variables: { dryRun?: boolean | null; acceptClock?: boolean | null };
    data: {
      purge: {
        records: number;
        bytes: number;
        lsn: number;
        tiers: {
          tier: string;
          source: string;
          records: number;
          bytes: number;
        }[];
      };
    };
  };
  'redact:v1': {
    variables: { entity?: string | null; source?: string | null; reason: string };
    data: {
      redact: {
        lsn: number;
        records: number;
        bytes: number;
        done: boolean;
        lifted: boolean;
      };
    };
  };
  'redaction:v1': {
    variables: { lsn: number };
    data: {
      redaction: {
        lsn: number;
        records: number;
        bytes: number;
        done: boolean;
        lifted: boolean;
      } | null;
    };
  };
  'redactionLift:v1': {
    variables: { entity?: string | null; source?: string | null };
    data: {
      redactionLift: {
        lsn: number;
        changed: boolean;
      };
    };
  };
  'relationKinds:v1': {
    variables: { id: string; asOf?: string | null };
    data: {
      relationKinds: {
        kinds: {
          kind: string;
          direction: 'OUT' | 'IN' | 'BOTH';
          count: number;
        }[];
        complete: boolean;
      } | null;
    };
  };
  'relations:v2': {
    variables: { id: string; asOf?: string | null; kind?: string | null; direction?: 'OUT' | 'IN' | 'BOTH' | null; first?: number | null; after?: string | null };
    data: {
      relations: {
        edges: {
          node: {
            id: string;
            kind: string;
            from: string;
            to: string;
            weight: number | null;
            since: string | null;
            until: string | null;
            source: string;
            status: string;
          };
        }[];
        pageInfo: {
          hasNextPage: boolean;
          endCursor: string | null;
        };
      } | null;
    };
  };
  'relations:v3': {
    variables: { id: string; asOf?: string | null; kind?: string | null; direction?: 'OUT' | 'IN' | 'BOTH' | null; first?: number | null; after?: string | null };
    data: {
      relations: {
        edges: {
          node: {
            id: string;
            kind: string;
            from: string;
            to: string;
            weight: number | null;
            since: string | null;
            until: string | null;
            source: string;
            status: string;
            recordedAt: string;
            lsn: number;
            other: {
              id: string;
              type: string;
              title: string;
            } | null;
          };
        }[];
        pageInfo: {
          hasNextPage: boolean;
          endCursor: string | null;
        };
      } | null;
    };
  };
  'runs:v2': {
    variables: { first?: number | null; after?: string | null };
    data: {
      runs: {
        edges: {
          node: {
            run: string;
            process: string;
            source: string;
            state: string;
            began: string;
            ended: string | null;
            inputs: string[];
            outputs: string[];
            read: number;
            created: number;
            updated: number;
            unchanged: number;
            rejected: number;
            mappings: {
              input: string;
              format: number;
              sha256: string;
              inferred: boolean;
            }[];
          };
        }[];
        pageInfo: {
          hasNextPage: boolean;
          endCursor: string | null;
        };
      };
    };
  };
  'search:v2': {
    variables: { q: string; first?: number | null; after?: string | null; types?: string[] | null; sources?: string[] | null; includeRevoked?: boolean | null; facets?: boolean | null; atLeast?: number | null };
    data: {
      search: {
        edges: {
          node: {
            id: string;
            type: string;
            title: string;
            score: number;
            snippet: string;
            highlights: {
              start: number;
              end: number;
            }[];
            keywordRaw: number;
            keyword: number;
          };
        }[];
        pageInfo: {
          hasNextPage: boolean;
          endCursor: string | null;
        };
        facets: {
          field: string;
          value: string;
          count: number;
        }[] | null;
        lsn: number;
        tookMs: number;
        complete: boolean;
      };
    };
  };
  'search:v3': {
    variables: { q: string; first?: number | null; after?: string | null; types?: string[] | null; sources?: string[] | null; form?: 'ENTITY' | 'RELATION' | null; since?: string | null; before?: string | null; newest?: boolean | null; typing?: boolean | null; includeRevoked?: boolean | null; facets?: boolean | null; atLeast?: number | null };
    data: {
      search: {
        edges: {
          node: {
            id: string;
            type: string;
            title: string;
            status: string;
            from: {
              id: string;
              type: string;
              title: string;
            } | null;
            to: {
              id: string;
              type: string;
              title: string;
            } | null;
            source: string;
            observedAt: string;
            classification: string;
            snippet: string;
            highlights: {
              start: number;
              end: number;
            }[];
            score: number;
            keywordRaw: number;
            keyword: number;
          };
        }[];
        pageInfo: {
          hasNextPage: boolean;
          endCursor: string | null;
        };
        facets: {
          field: string;
          value: string;
          count: number;
        }[] | null;
        lsn: number;
        tookMs: number;
        complete: boolean;
      };
    };
  };
  'search:v4': {
    variables: { q: string; first?: number | null; after?: string | null; types?: string[] | null; notTypes?: string[] | null; sources?: string[] | null; notSources?: string[] | null; classifications?: string[] | null; form?: 'ENTITY' | 'RELATION' | null; since?: string | null; before?: string | null; newest?: boolean | null; typing?: boolean | null; explain?: boolean | null; includeRevoked?: boolean | null; facets?: boolean | null; atLeast?: number | null };
    data: {
      search: {
        edges: {
          node: {
            id: string;
            type: string;
            title: string;
            status: string;
            from: {
              id: string;
              type: string;
              title: string;
            } | null;
            to: {
              id: string;
              type: string;
              title: string;
            } | null;
            source: string;
            observedAt: string;
            classification: string;
            snippet: string;
            highlights: {
              start: number;
              end: number;
            }[];
            score: number;
            keywordRaw: number;
            keyword: number;
            why: {
              shares: {
                word: string | null;
                found: string;
                place: string;
                score: number;
              }[];
              factor: number;
            } | null;
          };
        }[];
        pageInfo: {
          hasNextPage: boolean;
          endCursor: string | null;
        };
        facets: {
          field: string;
          value: string;
          count: number;
        }[] | null;
        classifications: {
          field: string;
          value: string;
          count: number;
        }[] | null;
        spans: {
          since: string;
          before: string;
          count: number;
        }[] | null;
        lsn: number;
        tookMs: number;
        complete: boolean;
      };
    };
  };
  'searchHybrid:v1': {
    variables: { q: string; mode?: 'KEYWORD' | 'VECTOR' | 'HYBRID' | null; keywordWeight?: number | null; alpha?: number | null; fusion?: 'SCORES' | 'RANKS' | null; first?: number | null; after?: string | null; types?: string[] | null; notTypes?: string[] | null; sources?: string[] | null; notSources?: string[] | null; classifications?: string[] | null; form?: 'ENTITY' | 'RELATION' | null; since?: string | null; before?: string | null; explain?: boolean | null; includeRevoked?: boolean | null; facets?: boolean | null };
    data: {
      searchHybrid: {
        edges: {
          node: {
            id: string;
            type: string;
            title: string;
            status: string;
            from: {
              id: string;
              type: string;
              title: string;
            } | null;
            to: {
              id: string;
              type: string;
              title: string;
            } | null;
            source: string;
            observedAt: string;
            classification: string;
            snippet: string;
            highlights: {
              start: number;
              end: number;
            }[];
            score: number;
            keywordRaw: number;
            keyword: number;
            vectorRaw: number | null;
            vector: number | null;
            weight: number;
            keywordRank: number | null;
            vectorRank: number | null;
            why: {
              shares: {
                word: string | null;
                found: string;
                place: string;
                score: number;
              }[];
              factor: number;
            } | null;
          };
        }[];
        pageInfo: {
          hasNextPage: boolean;
          endCursor: string | null;
        };
        facets: {
          field: string;
          value: string;
          count: number;
        }[] | null;
        classifications: {
          field: string;
          value: string;
          count: number;
        }[] | null;
        spans: {
          since: string;
          before: string;
          count: number;
        }[] | null;
        lsn: number;
        tookMs: number;
        complete: boolean;
        vector: {
          used: boolean;
          reason: string | null;
          tookMs: number;
          lsn: number | null;
        };
        windowExhausted: boolean;
      };
    };
  };
  'similar:v1': {
    variables: { id: string; first?: number | null };
    data: {
      similar: {
        edges: {
          node: {
            id: string;
            type: string;
            title: string;
            status: string;
            source: string;
            observedAt: string;
            classification: string;
            snippet: string;
            highlights: {
              start: number;
              end: number;
            }[];
            score: number;
            vectorRaw: number | null;
            vectorRank: number | null;
          };
        }[];
        lsn: number;
        tookMs: number;
        vector: {
          used: boolean;
          reason: string | null;
          tookMs: number;
          lsn: number | null;
        };
      } | null;
    };
  };
  'sources:v1': {
    variables: { first?: number | null; after?: string | null };
    data: {
      sources: {
        edges: {
          node: {
            name: string;
            purposes: string[];
            licence: string;
            retention: string;
            classification: string;
            personal: boolean;
          };
        }[];
        pageInfo: {
          hasNextPage: boolean;
          endCursor: string | null;
        };
      };
    };
  };
  'suggest:v1': {
    variables: { prefix: string; limit?: number | null };
    data: {
      suggest: {
        id: string;
        type: string;
        title: string;
      }[];
    };
  };
  'tokenAllow:v1': {
    variables: { subject: string };
    data: {
      tokenAllow: {
        lsn: number;
        changed: boolean;
      };
    };
  };
  'tokenCreate:v1': {
    variables: { tenant?: string | null; role: string; clearance?: string | null; purposes?: string[] | null; scopes?: string[] | null; expiresAt?: string | null };
    data: {
      tokenCreate: {
        id: string;
        token: string;
        tenant: string;
        roles: string[];
        clearance: string;
        purpose: string[];
        expiresAt: string;
      };
    };
  };
  'tokenDenials:v1': {
    variables: { first?: number | null; after?: string | null };
    data: {
      tokenDenials: {
        edges: {
          node: {
            issuer: string;
            subject: string | null;
            jti: string | null;
            deniedAt: string;
          };
        }[];
        pageInfo: {
          hasNextPage: boolean;
          endCursor: string | null;
        };
      };
    };
  };
  'tokenDeny:v1': {
    variables: { subject?: string | null; jti?: string | null };
    data: {
      tokenDeny: {
        lsn: number;
        changed: boolean;
      };
    };
  };
  'tokenLink:v1': {
    variables: Record<string, never>;
    data: {
      tokenLink: {
        url: string;
        expiresAt: string;
      };
    };
  };
  'tokenList:v1': {
    variables: { first?: number | null; after?: string | null };
    data: {
      tokens: {
        edges: {
          node: {
            id: string;
            tenant: string;
            roles: string[];
            clearance: string;
            purpose: string[];
            scopes: string[];
            madeBy: string;
            createdAt: string;
            expiresAt: string;
            usedAt: string | null;
            sessions: number;
            revokedAt: string | null;
          };
        }[];
        pageInfo: {
          hasNextPage: boolean;
          endCursor: string | null;
        };
      };
    };
  };
  'tokenRevoke:v1': {
    variables: { id: string };
    data: {
      tokenRevoke: {
        lsn: number;
        changed: boolean;
      };
    };
  };
}

/** Those that change something. */
export const MUTATIONS: ReadonlySet<string> = new Set(['entityDelete:v1', 'entityRestore:v1', 'flagSet:v1', 'flagStop:v1', 'graphDelete:v1', 'graphSave:v1', 'holdAdd:v1', 'holdRemove:v1', 'policySet:v1', 'purge:v1', 'redact:v1', 'redactionLift:v1', 'tokenAllow:v1', 'tokenCreate:v1', 'tokenDeny:v1', 'tokenLink:v1', 'tokenRevoke:v1']);
