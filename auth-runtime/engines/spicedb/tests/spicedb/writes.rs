//! Changes of the schema and the relationships, with messages of the tests' own.

use auth_runtime_spicedb::SpiceDb;
use prost::Message;
use prost_types::{Struct, Value, value::Kind};
use tonic::client::Grpc;
use tonic::transport::{Channel, Endpoint};
use tonic_prost::ProstCodec;

use crate::process::{KEY, Server};

#[derive(Clone, PartialEq, Message)]
struct ObjectReference {
    #[prost(string, tag = "1")]
    object_type: String,
    #[prost(string, tag = "2")]
    object_id: String,
}

#[derive(Clone, PartialEq, Message)]
struct SubjectReference {
    #[prost(message, optional, tag = "1")]
    object: Option<ObjectReference>,
    #[prost(string, tag = "2")]
    optional_relation: String,
}

#[derive(Clone, PartialEq, Message)]
struct ContextualizedCaveat {
    #[prost(string, tag = "1")]
    caveat_name: String,
    #[prost(message, optional, tag = "2")]
    context: Option<Struct>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Relationship {
    #[prost(message, optional, tag = "1")]
    resource: Option<ObjectReference>,
    #[prost(string, tag = "2")]
    relation: String,
    #[prost(message, optional, tag = "3")]
    subject: Option<SubjectReference>,
    #[prost(message, optional, tag = "4")]
    optional_caveat: Option<ContextualizedCaveat>,
}

#[derive(Clone, PartialEq, Message)]
struct RelationshipUpdate {
    #[prost(int32, tag = "1")]
    operation: i32,
    #[prost(message, optional, tag = "2")]
    relationship: Option<Relationship>,
}

#[derive(Clone, PartialEq, Message)]
struct WriteRelationshipsRequest {
    #[prost(message, repeated, tag = "1")]
    updates: Vec<RelationshipUpdate>,
}

#[derive(Clone, PartialEq, Message)]
struct ZedToken {
    #[prost(string, tag = "1")]
    token: String,
}

#[derive(Clone, PartialEq, Message)]
struct WriteRelationshipsResponse {
    #[prost(message, optional, tag = "1")]
    written_at: Option<ZedToken>,
}

#[derive(Clone, PartialEq, Message)]
struct WriteSchemaRequest {
    #[prost(string, tag = "1")]
    schema: String,
}

#[derive(Clone, PartialEq, Message)]
struct Calls {
    #[prost(uint64, tag = "1")]
    number: u64,
}

const TOUCH: i32 = 2;
const DELETE: i32 = 3;
/// The highest number of changes in one call.
const MAX_CHANGES: usize = 1000;

/// A relationship `type:id#relation@type:id` or `…@type:id#relation`, with the ids as SpiceDB has them.
pub(crate) fn relationship(text: &str) -> Relationship {
    let object = |text: &str| {
        let (object_type, object_id) = text.split_once(':').unwrap();
        Some(ObjectReference {
            object_type: object_type.into(),
            object_id: object_id.into(),
        })
    };
    let (resource, subject) = text.split_once('@').unwrap();
    let (resource, relation) = resource.split_once('#').unwrap();
    let (subject, optional_relation) = subject.split_once('#').unwrap_or((subject, ""));
    Relationship {
        resource: object(resource),
        relation: relation.to_owned(),
        subject: Some(SubjectReference {
            object: object(subject),
            optional_relation: optional_relation.to_owned(),
        }),
        optional_caveat: None,
    }
}

impl Relationship {
    pub(crate) fn with_caveat(mut self, name: &str, context: &[(&str, &str)]) -> Self {
        let fields = context.iter().map(|(name, value)| {
            let value = Value {
                kind: Some(Kind::StringValue((*value).to_owned())),
            };
            ((*name).to_owned(), value)
        });
        self.optional_caveat = Some(ContextualizedCaveat {
            caveat_name: name.to_owned(),
            context: Some(Struct {
                fields: fields.collect(),
            }),
        });
        self
    }
}

/// The form of an id in SpiceDB.
pub(crate) fn id(id: &str) -> String {
    SpiceDb::object_id(id).unwrap()
}

impl Server {
    pub(crate) async fn write_schema(&self, schema: &str) {
        let request = WriteSchemaRequest {
            schema: schema.to_owned(),
        };
        self.call::<_, ()>("/authzed.api.v1.SchemaService/WriteSchema", request)
            .await;
    }

    /// Adds the relationships, and returns the token of the last change.
    pub(crate) async fn write(&self, relationships: &[Relationship]) -> String {
        self.change(TOUCH, relationships).await
    }

    pub(crate) async fn delete(&self, relationships: &[Relationship]) -> String {
        self.change(DELETE, relationships).await
    }

    async fn change(&self, operation: i32, relationships: &[Relationship]) -> String {
        let mut token = String::new();
        for relationships in relationships.chunks(MAX_CHANGES) {
            let updates = relationships
                .iter()
                .cloned()
                .map(|relationship| RelationshipUpdate {
                    operation,
                    relationship: Some(relationship),
                });
            let request = WriteRelationshipsRequest {
                updates: updates.collect(),
            };
            let path = "/authzed.api.v1.PermissionsService/WriteRelationships";
            let response: WriteRelationshipsResponse = self.call(path, request).await;
            token = response.written_at.unwrap().token;
        }
        token
    }

    /// The number of checks and lookups so far, modulo 128.
    pub(crate) async fn calls(&self) -> u64 {
        self.call::<_, Calls>("/test/Calls", ()).await.number
    }

    async fn call<Q: Message + 'static, A: Message + Default + 'static>(
        &self,
        path: &'static str,
        message: Q,
    ) -> A {
        let channel: Channel = Endpoint::from_shared(self.url())
            .unwrap()
            .connect()
            .await
            .unwrap();
        let mut grpc = Grpc::new(channel);
        grpc.ready().await.unwrap();
        let mut request = tonic::Request::new(message);
        let authorization = format!("Bearer {KEY}").parse().unwrap();
        request
            .metadata_mut()
            .insert("authorization", authorization);
        let codec = ProstCodec::<Q, A>::default();
        let path = http::uri::PathAndQuery::from_static(path);
        grpc.unary(request, path, codec).await.unwrap().into_inner()
    }
}
