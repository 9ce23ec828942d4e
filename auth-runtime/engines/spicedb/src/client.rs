//! Calls over one connection, which is replaced after a failure.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use http::HeaderValue;
use http::uri::PathAndQuery;
use prost::Message;
use tonic::client::Grpc;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};
use tonic_prost::ProstCodec;
use zeroize::Zeroizing;

use crate::answer::Listed;
use crate::failure::Failure;
use crate::messages::{
    CheckBulkPermissionsRequest, CheckBulkPermissionsResponse, LookupResourcesRequest,
};

/// The longest message of the server, in bytes. It repeats the questions, which have up to 3 MiB.
const MAX_MESSAGE: usize = 8 * 1024 * 1024;
const CHECK: &str = "/authzed.api.v1.PermissionsService/CheckBulkPermissions";
const LOOKUP: &str = "/authzed.api.v1.PermissionsService/LookupResources";
const REQUEST_ID: &str = "x-request-id";

pub(crate) struct Client {
    endpoint: Endpoint,
    /// The value of `authorization`.
    authorization: Zeroizing<String>,
    connection: Mutex<Connection>,
}

/// The present connection. It is made by the first call, within the runtime of that call.
#[derive(Default)]
struct Connection {
    /// The number of connections before this one.
    number: u64,
    channel: Option<Channel>,
}

impl Client {
    pub(crate) fn new(endpoint: Endpoint, authorization: Zeroizing<String>) -> Self {
        Self {
            endpoint,
            authorization,
            connection: Mutex::default(),
        }
    }

    pub(crate) async fn check(
        &self,
        request: &CheckBulkPermissionsRequest,
        request_id: Option<&HeaderValue>,
    ) -> Result<CheckBulkPermissionsResponse, Failure> {
        self.call(|| self.check_once(request, request_id)).await
    }

    /// Returns the objects of a list. `has_begun` becomes true with the first of them.
    pub(crate) async fn lookup(
        &self,
        request: &LookupResourcesRequest,
        request_id: Option<&HeaderValue>,
        has_begun: &AtomicBool,
    ) -> Result<Listed, Failure> {
        self.call(|| self.lookup_once(request, request_id, has_begun))
            .await
    }

    /// Makes a call, and repeats it over a new connection if the connection fails. Calls change nothing.
    async fn call<T, F: Future<Output = Result<T, Failure>>>(
        &self,
        make: impl Fn() -> F,
    ) -> Result<T, Failure> {
        let number = self.connection_number();
        match make().await {
            Err(failure) if failure.is_of_connection() => {
                self.disconnect(number);
                make().await
            }
            made => made,
        }
    }

    async fn check_once(
        &self,
        request: &CheckBulkPermissionsRequest,
        request_id: Option<&HeaderValue>,
    ) -> Result<CheckBulkPermissionsResponse, Failure> {
        let request = self.request(request.clone(), request_id)?;
        let codec = ProstCodec::<CheckBulkPermissionsRequest, _>::default();
        let mut grpc = self.ready().await?;
        let response = grpc.unary(request, PathAndQuery::from_static(CHECK), codec);
        Ok(response.await?.into_inner())
    }

    async fn lookup_once(
        &self,
        request: &LookupResourcesRequest,
        request_id: Option<&HeaderValue>,
        has_begun: &AtomicBool,
    ) -> Result<Listed, Failure> {
        let request = self.request(request.clone(), request_id)?;
        let codec = ProstCodec::<LookupResourcesRequest, _>::default();
        let mut grpc = self.ready().await?;
        let response = grpc.server_streaming(request, PathAndQuery::from_static(LOOKUP), codec);
        let mut stream = response.await?.into_inner();
        let mut listed = Listed::default();
        while let Some(found) = stream.message().await? {
            has_begun.store(true, Ordering::Relaxed);
            listed.add(found)?;
        }
        Ok(listed)
    }

    /// A client of the present connection, which can take a request.
    async fn ready(&self) -> Result<Grpc<Channel>, Failure> {
        let mut grpc = Grpc::new(self.channel()).max_decoding_message_size(MAX_MESSAGE);
        let ready = grpc.ready().await;
        ready.map_err(|error| Status::from_error(Box::new(error)))?;
        Ok(grpc)
    }

    fn request<M: Message>(
        &self,
        message: M,
        request_id: Option<&HeaderValue>,
    ) -> Result<Request<M>, Failure> {
        let mut request = Request::new(message);
        let mut authorization: MetadataValue<Ascii> = self
            .authorization
            .parse()
            .map_err(|_| Failure::Answer("the preshared key cannot be sent".to_owned()))?;
        authorization.set_sensitive(true);
        let metadata = request.metadata_mut();
        metadata.insert("authorization", authorization);
        if let Some(id) = request_id.and_then(|id| MetadataValue::try_from(id.as_bytes()).ok()) {
            metadata.insert(REQUEST_ID, id);
        }
        Ok(request)
    }

    pub(crate) fn url(&self) -> String {
        self.endpoint.uri().to_string()
    }

    fn channel(&self) -> Channel {
        let mut connection = self.connection();
        let channel = connection
            .channel
            .get_or_insert_with(|| self.endpoint.connect_lazy());
        channel.clone()
    }

    /// The number of the present connection.
    pub(crate) fn connection_number(&self) -> u64 {
        self.connection().number
    }

    /// Lets the next call make a new connection, unless another call did so before. A connection that is
    /// lost without a sign would be used again. Calls that use it go on.
    pub(crate) fn disconnect(&self, number: u64) {
        let mut connection = self.connection();
        if connection.number == number {
            *connection = Connection {
                number: number.wrapping_add(1),
                channel: None,
            };
        }
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
